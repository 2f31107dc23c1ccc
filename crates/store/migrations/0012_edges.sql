-- Edges: titles that are brought near before anybody asks for them.

CREATE TABLE warmings (
    id TEXT PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    part TEXT NOT NULL,                   -- start, all
    in_quiet_hours BIGINT NOT NULL,       -- 1: each edge waits for its own hours
    every_day BIGINT NOT NULL,            -- 1: again a day later
    next_at BIGINT,                       -- NULL: not again
    last_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX warmings_due ON warmings (next_at);
CREATE INDEX warmings_video ON warmings (video_id);
