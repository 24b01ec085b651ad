UPDATE chain SET seq = %(seq)s, hash = %(hash)s, recorded_at = %(recorded_at)s
