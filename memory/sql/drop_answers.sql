DELETE FROM model_answer WHERE at < %(before)s
