-- The farm: what titles are made into, who encodes them, in whose turn, and what it took.

CREATE TABLE profiles (
    name TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,                   -- JSON, domain::profile::Profile
    standard BIGINT NOT NULL,             -- 1: titles are made with it; one profile at most
    revision BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

ALTER TABLE workers ADD COLUMN about TEXT NOT NULL DEFAULT '{}';     -- JSON: version, cores, memory, what it can encode
ALTER TABLE workers ADD COLUMN drained BIGINT NOT NULL DEFAULT 0;    -- 1: takes no more jobs until an operator says so

-- What operators have set while the instance runs: farm.paused.
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;          -- among jobs of one priority the lower runs first
DROP INDEX jobs_claimable;
CREATE INDEX jobs_claimable ON jobs (state, priority, turn, id);

-- Attempts at jobs that are over, for charts and costs.
CREATE TABLE attempts (
    id TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    worker TEXT NOT NULL,
    outcome TEXT NOT NULL,                -- done | retry | dead | lost | cancelled | released | died
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    cpu_ms BIGINT NOT NULL,               -- of encoders and decoders
    error TEXT                            -- what went wrong, with the last words of the encoder
);
CREATE INDEX attempts_by_end ON attempts (ended_at);
CREATE INDEX attempts_by_subject ON attempts (subject, started_at);
