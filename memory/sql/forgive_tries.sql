DELETE FROM access_try WHERE client = %(client)s
