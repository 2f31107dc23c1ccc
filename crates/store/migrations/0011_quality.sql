-- Quality of experience: what players told, rolled up by minute, edge, title and node.

CREATE TABLE quality_minutes (
    minute BIGINT NOT NULL,               -- its beginning, microseconds
    edge TEXT NOT NULL,                   -- who delivered; `origin` without an edge
    video_id TEXT NOT NULL,               -- '' when it is not known (any more)
    node TEXT NOT NULL,                   -- the log that this was rolled up from; its owner alone writes these rows
    starts BIGINT NOT NULL,
    start_failures BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    playing_ms BIGINT NOT NULL,
    stalled_ms BIGINT NOT NULL,
    stalls BIGINT NOT NULL,
    switches BIGINT NOT NULL,
    dropped_frames BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    rated_ms BIGINT NOT NULL,             -- playing time of which the media bitrate is known
    kilobits BIGINT NOT NULL,             -- media bitrate × that time
    PRIMARY KEY (minute, edge, video_id, node)
);

-- Times to the first frame, in the buckets of insights::histogram.
CREATE TABLE quality_starts (
    minute BIGINT NOT NULL,
    edge TEXT NOT NULL,
    video_id TEXT NOT NULL,
    node TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    starts BIGINT NOT NULL,
    PRIMARY KEY (minute, edge, video_id, node, bucket)
);

-- Who plays now, as far as each node hears.
CREATE TABLE quality_now (
    node TEXT NOT NULL,
    edge TEXT NOT NULL,
    video_id TEXT NOT NULL,
    sessions BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (node, edge, video_id)
);

-- How far each log is rolled up. Moves in one transaction with the rows above.
CREATE TABLE quality_logs (
    node TEXT NOT NULL PRIMARY KEY,
    segment BIGINT NOT NULL,
    byte BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
