UPDATE breaker
SET state = %(state)s, failures = %(failures)s, opened_at = %(opened_at)s
WHERE connector = %(connector)s AND action_kind = %(action_kind)s
      AND (state, failures, opened_at) IS DISTINCT FROM (%(state)s, %(failures)s::integer, %(opened_at)s::timestamptz)
