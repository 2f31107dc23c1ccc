-- Failed attempts: who has failed at what, so that somebody else tries next, and what the programs said.

ALTER TABLE workers ADD COLUMN kinds TEXT NOT NULL DEFAULT ' ';      -- of jobs that it takes, each between blanks

-- Workers on which an attempt at a job has failed, as long as it may be tried again.
CREATE TABLE job_failures (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    worker TEXT NOT NULL,
    PRIMARY KEY (job_id, worker)
);

-- What decoders and encoders said in attempts that failed: the end of it.
CREATE TABLE attempt_logs (
    attempt_id TEXT NOT NULL PRIMARY KEY REFERENCES attempts (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,                -- as of the attempt; goes when its title goes
    log TEXT NOT NULL
);
CREATE INDEX attempt_logs_by_subject ON attempt_logs (subject, attempt_id);
CREATE INDEX attempts_by_job ON attempts (job_id, id);
