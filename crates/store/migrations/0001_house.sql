-- The first schema. One text for SQLite and PostgreSQL: ids are UUIDv7 as text, times microseconds since the Unix
-- epoch, JSON as text. Owner ids lead the keys of what people own.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,           -- lower case
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,          -- argon2id, PHC string
    role TEXT NOT NULL,                   -- viewer | creator | admin
    quota_bytes BIGINT,                   -- NULL: the instance's default
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Browser sessions and API tokens. Only a SHA-256 of the secret is kept.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                   -- session | api
    secret_sha256 TEXT NOT NULL UNIQUE,   -- hex
    name TEXT NOT NULL,                   -- what the person calls it; the browser for a session
    scopes TEXT NOT NULL,                 -- space separated; empty for a session: everything the role may
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX tokens_by_user ON tokens (user_id, kind, id);

CREATE TABLE videos (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    attribution TEXT NOT NULL,            -- credit line shown under the title, may be empty
    visibility TEXT NOT NULL,             -- public | unlisted | private
    state TEXT NOT NULL,                  -- uploading | processing | ready | failed | cancelled
    complete BOOLEAN NOT NULL,            -- FALSE while the presentation still grows
    error TEXT,                           -- why it failed, in words for the creator
    source_id TEXT,
    presentation_id TEXT,                 -- what plays now
    poster_id TEXT,                       -- chosen picture
    duration_ms BIGINT,
    width BIGINT,
    height BIGINT,
    search_text TEXT NOT NULL,            -- folded title, description and channel name
    revision BIGINT NOT NULL,             -- grows with every edit; the ETag
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    published_at BIGINT,                  -- first became ready
    deleted_at BIGINT                     -- in the trash since
);
CREATE INDEX videos_by_owner ON videos (owner_id, id);
CREATE INDEX videos_listed ON videos (visibility, state, published_at, id);
CREATE INDEX videos_deleted ON videos (deleted_at);
CREATE INDEX videos_by_update ON videos (updated_at);

-- An original file as delivered: an ordered list of immutable blob ranges.
CREATE TABLE sources (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    parts TEXT NOT NULL,                  -- JSON [{"object","length"}]
    info TEXT,                            -- JSON, filled by the probe
    created_at BIGINT NOT NULL
);
CREATE INDEX sources_by_owner ON sources (owner_id);
CREATE INDEX sources_by_video ON sources (video_id);

CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    video_id TEXT,                        -- NULL for the partial uploads of a concatenation
    kind TEXT NOT NULL,                   -- single | partial | final
    state TEXT NOT NULL,                  -- open | complete
    length BIGINT NOT NULL,
    received BIGINT NOT NULL,             -- durable bytes: the offset told to clients
    metadata TEXT NOT NULL,               -- the client's Upload-Metadata header, verbatim
    staging TEXT NOT NULL,                -- JSON, the blob adapter's own state of the unfinished object
    parts TEXT NOT NULL,                  -- JSON [upload id] of a final upload, in order
    lease_holder TEXT,
    lease_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_owner ON uploads (owner_id, state, id);
CREATE INDEX uploads_by_video ON uploads (video_id);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

-- One encoding of one source.
CREATE TABLE presentations (
    id TEXT NOT NULL PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    state TEXT NOT NULL,                  -- building | growing | complete | failed | cancelled
    plan TEXT,                            -- JSON, fixed once written
    version BIGINT NOT NULL,              -- last descriptor version handed out
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX presentations_by_video ON presentations (video_id);

-- A unit of encoding work (one video chunk with all its rungs, one stretch of an audio track) and what came of it.
CREATE TABLE units (
    presentation_id TEXT NOT NULL REFERENCES presentations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,                   -- v:0, v:1 … a0:0, a0:1 …
    result TEXT NOT NULL,                 -- JSON, extents and segments by track; written once
    created_at BIGINT NOT NULL,
    PRIMARY KEY (presentation_id, name)
);

-- Live progress of a title's workflow, as people see it.
CREATE TABLE steps (
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    name TEXT NOT NULL,                   -- upload | probe | encode | audio | publish | pictures
    position BIGINT NOT NULL,
    state TEXT NOT NULL,                  -- waiting | running | done | failed | cancelled
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,                -- 0: not known yet
    message TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (video_id, name)
);
CREATE INDEX steps_by_update ON steps (updated_at);

CREATE TABLE pictures (
    id TEXT NOT NULL PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                   -- poster
    position BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    object TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX pictures_by_video ON pictures (video_id, kind, position);

CREATE TABLE watch_positions (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    position_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    finished BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, video_id)
);
CREATE INDEX watch_positions_recent ON watch_positions (user_id, updated_at);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,                -- what it is about: a video id
    dedupe TEXT UNIQUE,                   -- at most one queued job has this key; let go when the job is claimed
    payload TEXT NOT NULL,                -- JSON
    state TEXT NOT NULL,                  -- queued | running | done | dead | cancelled
    priority BIGINT NOT NULL,             -- lower runs first
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,             -- claims that count; a graceful release takes one back
    max_attempts BIGINT NOT NULL,
    deaths BIGINT NOT NULL,               -- attempts that ended by a lease running out
    fence BIGINT NOT NULL,                -- grows with every claim; a stale holder's writes are refused
    worker TEXT,
    lease_until BIGINT NOT NULL,          -- of a cancelled job: its handler may still be busy until then
    error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX jobs_claimable ON jobs (state, priority, run_at, id);
CREATE INDEX jobs_by_subject ON jobs (subject, state);

-- Events written in the transaction of the change that they announce.
CREATE TABLE outbox (
    position BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 … in the order of commits
    id TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,                -- JSON
    created_at BIGINT NOT NULL
);

-- How far each consumer of the outbox has read.
CREATE TABLE outbox_cursors (
    consumer TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

-- Which consumer has handled which event: makes at-least-once delivery idempotent.
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    handled_at BIGINT NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_by_age ON inbox (handled_at);

CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,                  -- hex
    created_at BIGINT NOT NULL
);
