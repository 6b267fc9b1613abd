-- Whether two rows say the same, though perhaps in another order. What no order can be told of, since jsonb cannot hold it,
-- is the same where its text is.
CREATE FUNCTION say_the_same(one json, other json) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN one::jsonb IS NOT DISTINCT FROM other::jsonb;
EXCEPTION
    WHEN data_exception OR program_limit_exceeded THEN RETURN one::text IS NOT DISTINCT FROM other::text;
END
$$;
