INSERT INTO context_pack (hash, pack, at) VALUES (%(hash)s, %(pack)s, %(at)s)
ON CONFLICT (hash) DO UPDATE SET at = greatest(context_pack.at, excluded.at)
