-- What a restore or a copy needs, so that it comes to the ledger that was dumped.

-- The check as a dump gives it back, so that one that was restored is as one that was migrated.
ALTER TABLE tiles
    DROP CONSTRAINT tiles_hashes_check,
    ADD CONSTRAINT tiles_hashes_check
    CHECK (octet_length(hashes) >= 32 AND octet_length(hashes) <= 8192 AND octet_length(hashes) % 32 = 0);

-- An index in the order of the database misses rows once the system sorts otherwise.
ALTER TABLE migrations ALTER schema TYPE text COLLATE "C";
ALTER TABLE seal_keys ALTER verifier_key TYPE text COLLATE "C";

-- By what name what is sealed here, and what the ledger says of itself, calls the ledger.
CREATE FUNCTION evident_names() RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT substring(name FROM '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid
    FROM (
        SELECT split_part(verifier_key, '+', 1) FROM ledger.seal_keys
        UNION ALL
        (SELECT split_part(note, E'\n', 1) FROM ledger.checkpoints ORDER BY size DESC, number DESC LIMIT 1)
        UNION ALL
        SELECT originator_id FROM ledger.stored_events
        WHERE originator_id >= 'ledger:' AND originator_id < 'ledger;' AND originator_version = 1
    ) AS told (name)
    WHERE name ~ '^(jobledger/|ledger:)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
$$;

-- A migrated database has a name already. That of a ledger whose rows are copied into it takes its place, unless
-- something here was sealed under the one that it has.
CREATE FUNCTION take_identity() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger.identity WHERE ledger = new.ledger) THEN
        RETURN NULL;
    END IF;
    DELETE FROM ledger.identity WHERE ledger NOT IN (SELECT ledger.evident_names());
    RETURN new;
END
$$;
CREATE TRIGGER take_identity BEFORE INSERT ON identity FOR EACH ROW EXECUTE FUNCTION take_identity();
ALTER TABLE identity ENABLE ALWAYS TRIGGER take_identity;

-- Of what every migrated database has, a copy brings nothing new.
CREATE FUNCTION pass_known_topic() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger.topics WHERE topic = new.topic) THEN
        RETURN NULL;
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER pass_known_topic BEFORE INSERT ON topics FOR EACH ROW EXECUTE FUNCTION pass_known_topic();
ALTER TABLE topics ENABLE ALWAYS TRIGGER pass_known_topic;

CREATE FUNCTION pass_known_migration() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM ledger.migrations
        WHERE schema = new.schema AND number = new.number AND checksum = new.checksum
    ) THEN
        RETURN NULL;
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER pass_known_migration BEFORE INSERT ON migrations FOR EACH ROW EXECUTE FUNCTION pass_known_migration();
ALTER TABLE migrations ENABLE ALWAYS TRIGGER pass_known_migration;

REVOKE ALL ON FUNCTION take_identity(), pass_known_topic(), pass_known_migration() FROM PUBLIC;
