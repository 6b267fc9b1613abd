"""The ledger with the append lock taken out, so that a check can show that it would notice."""

# Without the lock: nobody waits, and positions are taken from the sequence alone.
BROKEN = """
CREATE OR REPLACE FUNCTION ledger.place_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM setval('ledger.append_time', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    RETURN NULL;
END
$$
"""
