INSERT INTO context_pack (hash, pack, at) VALUES (%(hash)s, %(pack)s, %(at)s) ON CONFLICT (hash) DO NOTHING
