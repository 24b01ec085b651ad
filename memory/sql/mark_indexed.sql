UPDATE passage SET indexed_in = %(index)s WHERE passage_id = ANY(%(ids)s)
