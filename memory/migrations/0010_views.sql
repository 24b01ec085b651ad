-- What the console lists: the newest entities of a kind, and the questions that wait.

CREATE INDEX state_by_change ON state (kind, seq DESC);
CREATE INDEX approval_waiting ON state (id) WHERE kind = 'approval' AND body @> '{"status": "pending"}';
