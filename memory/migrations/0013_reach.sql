-- When each outside system last did what was asked of it, and when it last did not.

CREATE INDEX effect_done ON effect (connector, updated_at) WHERE status IN ('committed', 'compensated');
CREATE INDEX effect_failed ON effect (connector, updated_at) WHERE status IN ('failed', 'unknown');
