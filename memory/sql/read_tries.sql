SELECT failures, last FROM login_tries WHERE client = %(client)s
