-- Operation: which workers there are, and since when each holds its jobs.

CREATE TABLE workers (
    name TEXT NOT NULL PRIMARY KEY,       -- no two running processes share one
    slots BIGINT NOT NULL,                -- long jobs at a time
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL               -- its last sign of life; a worker that stops in order removes its row
);

ALTER TABLE jobs ADD COLUMN claimed_at BIGINT NOT NULL DEFAULT 0;  -- the last claim, 0 before the first
