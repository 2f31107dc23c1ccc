-- Live events: a title that is sent while it happens. And presentations that have no source: what an event sends is one.

CREATE TABLE events (
    video_id TEXT NOT NULL PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE,
    owner_id TEXT NOT NULL,
    state TEXT NOT NULL,                  -- upcoming | live | ended
    latency TEXT NOT NULL,                -- low | standard
    starts_at BIGINT,                     -- as it was announced
    dvr_seconds BIGINT NOT NULL,
    record BOOLEAN NOT NULL,              -- it becomes an ordinary title
    key_generation BIGINT NOT NULL,       -- of its stream keys, which are derived and never stored
    presentation_id TEXT,                 -- what it sends
    started_at BIGINT,
    end_asked_at BIGINT,                  -- somebody wants it to end
    ended_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX events_by_owner ON events (owner_id, video_id);
CREATE INDEX events_by_state ON events (state, starts_at, video_id);

ALTER TABLE videos ADD COLUMN is_event BOOLEAN NOT NULL DEFAULT FALSE;

-- The same column, but it may be empty. The table stays in its place: others refer to it.
ALTER TABLE presentations ADD COLUMN of_source TEXT;
UPDATE presentations SET of_source = source_id;
ALTER TABLE presentations DROP COLUMN source_id;
ALTER TABLE presentations RENAME COLUMN of_source TO source_id;
