SELECT pg_notify('stored_events', '')
