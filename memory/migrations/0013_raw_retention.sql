-- The bytes of a delivery are forgotten some time after it was understood; its SHA-256 stays.

ALTER TABLE inbox
    ADD COLUMN digest     text NOT NULL DEFAULT '',
    ADD COLUMN blanked_at timestamptz;

CREATE INDEX inbox_understood ON inbox (understood_at) WHERE understood_at IS NOT NULL AND blanked_at IS NULL;
