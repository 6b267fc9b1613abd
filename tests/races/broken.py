"""The ledger with the append lock taken out, so that a check can show that it would notice."""

# Without the lock: nobody waits, and positions are taken from the sequence alone.
BROKEN = """
CREATE OR REPLACE FUNCTION ledger.place_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM set_config('jobledger.recorded_at', clock_timestamp()::text, true);
    RETURN NULL;
END
$$
"""
