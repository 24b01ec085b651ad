SET idle_session_timeout = '10s'
