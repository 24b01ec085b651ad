DELETE FROM login_tries WHERE client = %(client)s
