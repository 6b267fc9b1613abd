-- A message without content, so that the commit behind it waits, and with it for all that was committed before.
SELECT pg_logical_emit_message(true, 'jobledger', '')
WHERE current_setting('synchronous_standby_names') <> ''
