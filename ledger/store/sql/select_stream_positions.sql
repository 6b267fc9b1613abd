SELECT notification_id AS position FROM ledger.stored_events WHERE originator_id = %(stream)s ORDER BY notification_id
