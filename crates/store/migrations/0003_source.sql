-- Where originals come from and what becomes of them: imports, versions of a title, fingerprints.

-- A link that a worker fetches. The id is also that of the upload and of the source that come of it.
CREATE TABLE imports (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    version_id TEXT,                      -- the version that it is to become; NULL: the title's first
    url TEXT NOT NULL,                    -- without its query once it was fetched: that may hold secrets
    validator TEXT NOT NULL,              -- ETag or Last-Modified of what is being fetched; may be empty
    metadata TEXT NOT NULL,               -- as an Upload-Metadata header
    state TEXT NOT NULL,                  -- open | done
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX imports_by_owner ON imports (owner_id, state);
CREATE INDEX imports_by_video ON imports (video_id, state);

-- What played, plays, or is being made to play under a title's address. A title that never had more than one encoding has
-- no rows here.
CREATE TABLE versions (
    id TEXT NOT NULL PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,               -- 1, 2, 3 … of the title
    kind TEXT NOT NULL,                   -- original | replaced | trimmed
    state TEXT NOT NULL,                  -- uploading | processing | ready | failed | cancelled | purging
    error TEXT,                           -- why it failed, in words for the creator
    source_id TEXT,
    presentation_id TEXT,
    filename TEXT NOT NULL,
    keep TEXT NOT NULL,                   -- JSON [[start_ms, end_ms]] of a trimmed one, on the time line of the version before
    duration_ms BIGINT,
    width BIGINT,
    height BIGINT,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    superseded_at BIGINT,                 -- plays no longer since; NULL for what plays and what never did
    UNIQUE (video_id, number)
);
CREATE INDEX versions_by_state ON versions (state, superseded_at);
CREATE INDEX versions_by_presentation ON versions (presentation_id);

ALTER TABLE uploads ADD COLUMN version_id TEXT;          -- the version that it is to become; NULL: a new title
ALTER TABLE uploads ADD COLUMN hash_state TEXT;          -- SHA-256 of the durable bytes so far, to be gone on with; hex

ALTER TABLE sources ADD COLUMN sha256 TEXT;              -- hex; NULL until it is known
CREATE INDEX sources_by_fingerprint ON sources (owner_id, sha256);

ALTER TABLE videos ADD COLUMN duplicate_of TEXT;         -- an earlier title of the same owner with the same bytes
CREATE INDEX videos_by_duplicate ON videos (duplicate_of);
