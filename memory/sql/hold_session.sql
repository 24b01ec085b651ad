SELECT FROM access_session WHERE session_id = %(session_id)s FOR SHARE
