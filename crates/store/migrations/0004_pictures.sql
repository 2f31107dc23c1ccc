-- Artwork: pictures of several kinds that people upload, crop and choose, in several formats, beside the frames that the
-- workflow finds. kind is now poster | portrait | banner.

ALTER TABLE pictures ADD COLUMN origin TEXT NOT NULL DEFAULT 'frame';    -- frame (found) | moment (picked) | upload
ALTER TABLE pictures ADD COLUMN state TEXT NOT NULL DEFAULT 'ready';     -- arriving | making | ready | failed
ALTER TABLE pictures ADD COLUMN variants TEXT NOT NULL                   -- JSON [{"format","width"}], stored objects
    DEFAULT '[{"format":"jpeg","width":320},{"format":"jpeg","width":640},{"format":"jpeg","width":1280}]';
ALTER TABLE pictures ADD COLUMN blur TEXT NOT NULL DEFAULT '';           -- data URL of a tiny picture
ALTER TABLE pictures ADD COLUMN alt TEXT NOT NULL DEFAULT '';
ALTER TABLE pictures ADD COLUMN crop TEXT;                               -- JSON, the part of the original that was asked for
ALTER TABLE pictures ADD COLUMN choose BOOLEAN NOT NULL DEFAULT FALSE;   -- take it when it is ready, or when it is restored
ALTER TABLE pictures ADD COLUMN error TEXT;                              -- why it failed, in words for its creator
ALTER TABLE pictures ADD COLUMN presentation_id TEXT;                    -- what a frame was taken from
ALTER TABLE pictures ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pictures ADD COLUMN deleted_at BIGINT;                       -- can be restored until it is purged
CREATE INDEX pictures_deleted ON pictures (deleted_at);
CREATE INDEX pictures_unfinished ON pictures (state, updated_at);

ALTER TABLE videos ADD COLUMN artwork TEXT NOT NULL DEFAULT '{}';        -- JSON by kind: the chosen pictures, as lists show them

UPDATE videos SET artwork = COALESCE((
    SELECT '{"poster":{"id":"' || p.id || '","width":' || CAST(p.width AS TEXT) || ',"height":' || CAST(p.height AS TEXT)
        || ',"blur":"","alt":"","auto":true}}'
    FROM pictures p WHERE p.id = videos.poster_id AND p.video_id = videos.id), '{}')
WHERE poster_id IS NOT NULL;
