DELETE FROM console_session WHERE session_id = %(session_id)s
