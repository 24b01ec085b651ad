SELECT pack FROM context_pack WHERE hash = %(hash)s
