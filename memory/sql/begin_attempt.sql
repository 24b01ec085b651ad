UPDATE attempt SET status = 'sending' WHERE key = %(key)s AND status = 'ready'
