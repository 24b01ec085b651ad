-- What is kept only for work at hand has an end: delivered wake-ups go at once, the rest by the policy of retention.

DELETE FROM outbox WHERE delivered;
ALTER TABLE outbox DROP COLUMN delivered;

ALTER TABLE model_answer ADD COLUMN at timestamptz NOT NULL DEFAULT now();
