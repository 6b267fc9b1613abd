INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state)
VALUES (%(stream)s, %(version)s, %(topic)s, %(state)s)
