UPDATE attempt SET status = %(status)s WHERE key = %(key)s AND status = 'sending'
