-- What programs of others rely on: idempotency keys, and webhooks with their deliveries.

-- Answers to requests that named an idempotency key. Sealed with the key itself, which is not here.
CREATE TABLE idempotency_keys (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key_sha256 TEXT NOT NULL,             -- hex
    head_sha256 TEXT NOT NULL,            -- of method, address and the headers that count; hex
    body_sha256 TEXT,                     -- hex; NULL when the request was answered without reading all of it
    holder TEXT NOT NULL,                 -- the request at work, so that one that lost its lease cannot write
    answer TEXT,                          -- base64; NULL while the first request is at work
    lease_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key_sha256)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

-- Grows with every edit of an account; its ETag.
ALTER TABLE users ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- Addresses of others that are told of events.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    events TEXT NOT NULL,                 -- space separated event types; empty: all
    all_titles BOOLEAN NOT NULL,          -- everybody's titles, for administrators; otherwise the owner's
    secret TEXT NOT NULL,                 -- whsec_…, base64; signs, so that it cannot be a hash
    old_secret TEXT,                      -- signs beside the new one until old_secret_until
    old_secret_until BIGINT NOT NULL,
    failing_since BIGINT,                 -- no delivery has succeeded since
    disabled_at BIGINT,
    disabled_reason TEXT,                 -- in words for its owner
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX webhooks_by_user ON webhooks (user_id, id);

-- One event for one address. The id is what receivers recognise a repeated message by.
CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event TEXT NOT NULL,                  -- its type, title.ready
    subject TEXT NOT NULL,                -- what it is about: a video id
    payload TEXT NOT NULL,                -- JSON, sent as it stands
    state TEXT NOT NULL,                  -- pending | delivered | failed
    attempts BIGINT NOT NULL,             -- of this round; a replay begins a new one
    tries BIGINT NOT NULL,                -- in all
    round BIGINT NOT NULL,                -- grows with every replay
    next_at BIGINT,                       -- when it is tried next
    status BIGINT,                        -- of the last answer
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);

-- What came of each try.
CREATE TABLE webhook_attempts (
    delivery_id TEXT NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,               -- 1, 2, 3 …
    at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT,                        -- NULL: no answer
    error TEXT,                           -- why there was none
    answer TEXT NOT NULL,                 -- the first kilobyte of the body
    PRIMARY KEY (delivery_id, number)
);
