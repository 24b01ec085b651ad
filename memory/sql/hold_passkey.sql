SELECT FROM access_passkey WHERE credential_id = %(credential_id)s FOR SHARE
