-- One branch a figure; those that nobody asked for cost nothing.
SELECT 'decided' AS name, (at AT TIME ZONE %(zone)s)::date AS day, count(*)::numeric AS value
FROM event
WHERE 'decided' = ANY(%(names)s) AND type = 'approval.decided' AND at >= %(since)s AND at < %(until)s
  AND data #>> '{decision,verb}' <> 'snooze'
GROUP BY day
UNION ALL
SELECT 'changed', (at AT TIME ZONE %(zone)s)::date AS day, count(*)
FROM event
WHERE 'changed' = ANY(%(names)s) AND type = 'approval.decided' AND at >= %(since)s AND at < %(until)s
  AND data #>> '{decision,verb}' IN ('edit', 'reject')
GROUP BY day
UNION ALL
SELECT 'first-response', (at AT TIME ZONE %(zone)s)::date AS day,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY (data #>> '{outcome,value}')::double precision))::numeric
FROM event
WHERE 'first-response' = ANY(%(names)s) AND type = 'run.outcome-recorded' AND at >= %(since)s AND at < %(until)s
  AND data #>> '{outcome,metric}' = 'first-response-minutes'
GROUP BY day
UNION ALL
SELECT 'opened', (at AT TIME ZONE %(zone)s)::date AS day, count(*)
FROM event
WHERE 'opened' = ANY(%(names)s) AND type = 'ticket.message-received' AND (pre IS NULL OR pre ->> 'status' = 'closed')
  AND at >= %(since)s AND at < %(until)s
GROUP BY day
UNION ALL
SELECT 'closed', (at AT TIME ZONE %(zone)s)::date AS day, count(*)
FROM event
WHERE 'closed' = ANY(%(names)s) AND type = 'ticket.closed' AND pre ->> 'status' <> 'closed' AND at >= %(since)s AND at < %(until)s
GROUP BY day
UNION ALL
SELECT 'handed-over', (at AT TIME ZONE %(zone)s)::date AS day, count(DISTINCT stream)
FROM event
WHERE 'handed-over' = ANY(%(names)s) AND type = 'ticket.handed-over' AND at >= %(since)s AND at < %(until)s
GROUP BY day
UNION ALL
SELECT 'refunded', (at AT TIME ZONE %(zone)s)::date AS day, sum((data #>> '{refund,amount,amount}')::numeric)
FROM event
WHERE 'refunded' = ANY(%(names)s) AND type = 'order.refunded' AND at >= %(since)s AND at < %(until)s
  AND data #>> '{refund,amount,currency}' = %(currency)s
GROUP BY day
UNION ALL
SELECT 'ran-out', (at AT TIME ZONE %(zone)s)::date AS day, count(*)
FROM event
WHERE 'ran-out' = ANY(%(names)s) AND pre -> 'on_hand' > '0' AND post -> 'on_hand' <= '0' AND at >= %(since)s AND at < %(until)s
GROUP BY day
UNION ALL
SELECT 'spent', (at AT TIME ZONE %(zone)s)::date AS day, sum(cost)
FROM model_call
WHERE 'spent' = ANY(%(names)s) AND at >= %(since)s AND at < %(until)s
GROUP BY day
UNION ALL
SELECT name, (given.at AT TIME ZONE %(zone)s)::date AS day, count(*)
FROM event given
CROSS JOIN LATERAL (
    SELECT seen.data ->> 'intent' AS intent
    FROM event seen
    WHERE seen.stream = 'ticket/' || (given.data #>> '{label,ticket_id}') AND seen.type = 'ticket.triaged' AND seen.seq < given.seq
    ORDER BY seen.seq DESC
    LIMIT 1
) guess
CROSS JOIN LATERAL (VALUES ('judged', true), ('right', guess.intent = given.data #>> '{label,intent}')) figure (name, counts)
WHERE '{judged,right}' && %(names)s::text[] AND name = ANY(%(names)s) AND counts AND given.type = 'label.given' AND given.at >= %(since)s AND given.at < %(until)s
GROUP BY name, day
UNION ALL
SELECT name, (measured ->> 'day')::date AS day, sum((measured ->> name)::numeric)
FROM state
CROSS JOIN LATERAL jsonb_array_elements(body -> 'metrics') measured
CROSS JOIN LATERAL (VALUES ('impressions'), ('clicks')) figure (name)
WHERE '{impressions,clicks}' && %(names)s::text[] AND name = ANY(%(names)s) AND kind = 'content'
  AND (measured ->> 'day')::date BETWEEN %(first)s::date AND %(last)s::date
GROUP BY name, day
