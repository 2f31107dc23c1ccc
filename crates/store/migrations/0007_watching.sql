-- What people mean to watch: one row for each title on somebody's list.

CREATE TABLE watchlist (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, video_id)
);
CREATE INDEX watchlist_recent ON watchlist (user_id, added_at);
