-- What the console looks for in the log: events of a type, those of somebody else than Steward itself, and those of a day.
-- Events come in about the order in which they happen, so that a few bytes for every stretch of the table are enough for days.

CREATE INDEX event_newest_of_type ON event (type text_pattern_ops, seq);
CREATE INDEX event_by_actor ON event (actor, seq) WHERE actor <> 'steward';
CREATE INDEX event_by_time ON event USING brin (at) WITH (pages_per_range = 16);

-- When each outside system last did what was asked of it, and when it last did not.

CREATE INDEX effect_done ON effect (connector, updated_at) WHERE status IN ('committed', 'compensated');
CREATE INDEX effect_failed ON effect (connector, updated_at) WHERE status IN ('failed', 'unknown');
