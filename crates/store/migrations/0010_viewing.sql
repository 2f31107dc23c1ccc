-- Viewing: which of the devices that are signed in play.

ALTER TABLE tokens ADD COLUMN played_at BIGINT;      -- when a playback was last begun with it, to the hour; NULL: never
