-- What the console counts by day, so that no page reads all events: each index has only what one figure counts.

CREATE INDEX event_by_type ON event (type, at);
CREATE INDEX event_decides ON event (at) WHERE type = 'approval.decided' AND data #>> '{decision,verb}' <> 'snooze';
CREATE INDEX event_changes ON event (at) WHERE type = 'approval.decided' AND data #>> '{decision,verb}' IN ('edit', 'reject');
CREATE INDEX event_opens ON event (at) WHERE type = 'ticket.message-received' AND (pre IS NULL OR pre ->> 'status' = 'closed');
CREATE INDEX event_closes ON event (at) WHERE type = 'ticket.closed' AND pre ->> 'status' <> 'closed';
CREATE INDEX event_answers ON event (at) WHERE type = 'run.outcome-recorded' AND data #>> '{outcome,metric}' = 'first-response-minutes';
CREATE INDEX event_runs_out ON event (at) WHERE pre -> 'on_hand' > '0' AND post -> 'on_hand' <= '0';
CREATE INDEX ticket_open ON state (id) WHERE kind = 'ticket' AND body ->> 'status' <> 'closed';
CREATE INDEX stock_out ON state (id) WHERE kind = 'stock' AND body -> 'on_hand' <= '0';

-- What somebody may type to find an entity: its id, its names, and what lies in its lines.
CREATE FUNCTION state_words(id text, body jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT id || ' ' || coalesce(body ->> 'title', '') || ' ' || coalesce(body ->> 'subject', '') || ' ' || coalesce(body ->> 'sender', '')
        || ' ' || coalesce(body ->> 'email', '') || ' ' || coalesce(body ->> 'supplier_id', '') || ' ' || coalesce(body ->> 'keyword', '')
        || ' ' || coalesce(body ->> 'intent', '') || ' ' || coalesce(body ->> 'lines', '')
$$;
