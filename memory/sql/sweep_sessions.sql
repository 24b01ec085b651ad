DELETE FROM console_session WHERE seen_at < %(before)s
