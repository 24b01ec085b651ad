DELETE FROM access_session WHERE session_id <> %(keep)s
