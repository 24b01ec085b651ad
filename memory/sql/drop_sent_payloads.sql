UPDATE attempt SET payload = '' WHERE status = 'sent' AND at < %(before)s AND payload <> ''
