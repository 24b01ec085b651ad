WITH needed AS (
    SELECT asked.body #>> '{proposal,why,context_pack}' AS hash
    FROM state run
    JOIN state asked ON asked.kind = 'approval' AND asked.body @> jsonb_build_object('proposal', jsonb_build_object('run_id', run.id))
    WHERE run.kind = 'run' AND run.body @> '{"finished_at": null}'
)
DELETE FROM context_pack
WHERE at < %(before)s AND hash NOT IN (SELECT hash FROM needed WHERE hash IS NOT NULL)
