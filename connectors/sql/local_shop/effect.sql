SELECT digest, reference, at, detail FROM effects WHERE key = :key
