SELECT passage_id, text, entities, kind, at FROM passage WHERE passage_id = ANY(%(ids)s)
