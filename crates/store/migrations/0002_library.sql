-- What editors say of a title beyond its words: kind, genres, tags, people, language, year, rating; when and where it
-- plays; and the history of their changes.

ALTER TABLE videos ADD COLUMN kind TEXT NOT NULL DEFAULT 'clip';           -- movie | clip | recording
ALTER TABLE videos ADD COLUMN genres TEXT NOT NULL DEFAULT '[]';           -- JSON [id]; video_genres follows it
ALTER TABLE videos ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';             -- JSON [text], folded
ALTER TABLE videos ADD COLUMN cast_list TEXT NOT NULL DEFAULT '[]';        -- JSON [{"name","role"}]; video_people follows it
ALTER TABLE videos ADD COLUMN directors TEXT NOT NULL DEFAULT '[]';        -- JSON [name]; video_people follows it
ALTER TABLE videos ADD COLUMN language TEXT;                               -- BCP 47
ALTER TABLE videos ADD COLUMN release_year BIGINT;
ALTER TABLE videos ADD COLUMN maturity_rating TEXT;
ALTER TABLE videos ADD COLUMN publish_at BIGINT;                           -- of a scheduled title
ALTER TABLE videos ADD COLUMN available_from BIGINT;                       -- plays from then on
ALTER TABLE videos ADD COLUMN available_until BIGINT;                      -- and before then
ALTER TABLE videos ADD COLUMN countries TEXT;                              -- JSON [ISO 3166-1 alpha-2]; NULL: everywhere

-- Titles by genre, for rows and filters.
CREATE TABLE video_genres (
    genre TEXT NOT NULL,
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    PRIMARY KEY (genre, video_id)
);
CREATE INDEX video_genres_by_video ON video_genres (video_id);

-- Titles by the people in them.
CREATE TABLE video_people (
    folded TEXT NOT NULL,                 -- the name as search compares it
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    job TEXT NOT NULL,                    -- cast | director
    name TEXT NOT NULL,
    PRIMARY KEY (folded, video_id, job)
);
CREATE INDEX video_people_by_video ON video_people (video_id);

-- One row for each field that an edit changed.
CREATE TABLE video_changes (
    video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    user_id TEXT,                         -- NULL: Kinora itself
    field TEXT NOT NULL,
    old_value TEXT NOT NULL,              -- JSON
    new_value TEXT NOT NULL,              -- JSON
    revision BIGINT NOT NULL,             -- the title's, after the edit: edits of several fields share it
    created_at BIGINT NOT NULL,
    PRIMARY KEY (video_id, id)
);
CREATE INDEX video_changes_by_age ON video_changes (created_at);
