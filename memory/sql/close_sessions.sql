DELETE FROM console_session WHERE session_id <> %(but)s
