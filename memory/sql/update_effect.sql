UPDATE effect
SET status = %(status)s, receipt = %(receipt)s, error = %(error)s, updated_at = %(updated_at)s
WHERE key = %(key)s
