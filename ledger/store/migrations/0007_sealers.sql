-- What is written of tiles, checkpoints and keys is checked, for whoever has not the rights of the tables' owner: a
-- restore keeps its bytes. The database can check no signature, but what no sealer of this ledger could have made.

-- What is wrong with a note as a checkpoint over so many events; null where nothing is.
CREATE FUNCTION fault_of_checkpoint(size bigint, note text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE
    WHEN length(note) > 65536 OR translate(note, E'\n', '') ~ '[[:cntrl:]]'
        THEN 'it must have 65,536 characters at most, and no control character but newlines'
    WHEN note !~ ('^[^\n]+\n[0-9]+\n[A-Za-z0-9+/]{43}=\n([^\n]+\n)*\n'
        '(— [^ \n]+ ([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\n){1,64}$')
        THEN 'it must be an origin, a size and a root, an empty line, and signatures'
    WHEN split_part(note, E'\n', 1) <> 'jobledger/' || (SELECT ledger FROM ledger.identity)
        THEN 'it must be of this ledger'
    WHEN split_part(note, E'\n', 2) <> size::text THEN 'its size must be that of the row'
END
$$;

-- What is wrong with a verifier key; null where nothing is.
CREATE FUNCTION fault_of_key(verifier_key text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE
    WHEN verifier_key !~ '^[^+ \n]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$'
        THEN 'it must be a name, an id and 33 bytes in base64'
    WHEN parts.name <> 'jobledger/' || (SELECT ledger FROM ledger.identity) THEN 'it must be of this ledger'
    WHEN get_byte(decode(parts.public, 'base64'), 0) <> 1 THEN 'it must be of Ed25519'
    WHEN parts.id <> encode(
        substr(sha256(convert_to(parts.name || E'\n', 'UTF8') || decode(parts.public, 'base64')), 1, 4), 'hex'
    ) THEN 'it must bear its own id'
END
FROM (
    SELECT
        split_part(verifier_key, '+', 1) AS name,
        split_part(verifier_key, '+', 2) AS id,
        substr(verifier_key, length(split_part(verifier_key, '+', 1)) + 11) AS public
) AS parts
$$;

CREATE FUNCTION refuse_forged_tile() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hashes bigint := octet_length(new.hashes) / 32;
    -- The current user, and not that of the session: whoever has set a role has laid down other rights.
    free boolean := pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = tg_relid), 'USAGE');
BEGIN
    IF free THEN
        RETURN new;
    END IF;
    IF new.number::numeric * 256 + hashes
        > (SELECT coalesce(max(notification_id), 0) >> 8 * new.level FROM ledger.stored_events)
    THEN
        RAISE EXCEPTION 'A tile must be over events that there are, and %/% of % hashes is over more.',
            new.level, new.number, hashes USING ERRCODE = 'JL002';
    END IF;
    IF octet_length(new.sums) <> (CASE new.level WHEN 0 THEN 12 * hashes ELSE 0 END) THEN
        RAISE EXCEPTION 'A tile must have a sum for each leaf, and %/% has not.', new.level, new.number
            USING ERRCODE = 'JL002';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION refuse_forged_checkpoint() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free boolean := pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = tg_relid), 'USAGE');
    head bigint;
    newest bigint;
    fault text;
BEGIN
    IF free THEN
        RETURN new;
    END IF;
    SELECT coalesce(max(notification_id), 0) INTO head FROM ledger.stored_events;
    -- One beyond the head was put there by an owner, or before this was checked; it must not end sealing.
    SELECT coalesce(max(size), 0) INTO newest FROM ledger.checkpoints WHERE size <= head;
    IF new.size > head OR new.size < newest THEN
        RAISE EXCEPTION 'A checkpoint must be over % to % events, and this is over %.', newest, head, new.size
            USING ERRCODE = 'JL002';
    END IF;
    fault := ledger.fault_of_checkpoint(new.size, new.note);
    IF fault IS NULL AND NOT EXISTS (
        SELECT
        FROM regexp_matches(new.note, '— ([^ \n]+) ([A-Za-z0-9+/=]+)\n', 'g') AS signature (parts)
        JOIN ledger.seal_keys ON starts_with(
            verifier_key,
            signature.parts[1] || '+' || encode(substr(decode(signature.parts[2], 'base64'), 1, 4), 'hex') || '+'
        )
    ) THEN
        fault := 'it must be signed under a key on record';
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'A checkpoint must be one of this ledger: %.', fault USING ERRCODE = 'JL002';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION refuse_forged_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free boolean := pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = tg_relid), 'USAGE');
    fault text;
    lines text[] := string_to_array(new.rotation, E'\n');
BEGIN
    IF free THEN
        RETURN new;
    END IF;
    fault := ledger.fault_of_key(new.verifier_key);
    IF fault IS NULL AND new.rotation IS NOT NULL AND (
        lines[1] IS DISTINCT FROM 'jobledger key rotation v1'
        OR lines[6] IS DISTINCT FROM new.verifier_key
        OR NOT EXISTS (SELECT FROM ledger.seal_keys WHERE verifier_key = lines[5])
        OR ledger.fault_of_checkpoint(lines[3]::bigint, substr(new.rotation, length(lines[1]) + 2)) IS NOT NULL
        OR lines[3]::bigint > (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events)
    ) THEN
        fault := 'its rotation must be a note in which a key on record names it, over events that there are';
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'A key must be one that may sign for this ledger: %.', fault USING ERRCODE = 'JL002';
    END IF;
    RETURN new;
END
$$;

CREATE TRIGGER refuse_forged_tile BEFORE INSERT OR UPDATE ON tiles
FOR EACH ROW EXECUTE FUNCTION refuse_forged_tile();
ALTER TABLE tiles ENABLE ALWAYS TRIGGER refuse_forged_tile;
CREATE TRIGGER refuse_forged_checkpoint BEFORE INSERT ON checkpoints
FOR EACH ROW EXECUTE FUNCTION refuse_forged_checkpoint();
ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER refuse_forged_checkpoint;
CREATE TRIGGER refuse_forged_key BEFORE INSERT ON seal_keys
FOR EACH ROW EXECUTE FUNCTION refuse_forged_key();
ALTER TABLE seal_keys ENABLE ALWAYS TRIGGER refuse_forged_key;

-- A tile grows at its end. What no checkpoint speaks of was put there by somebody who signed nothing, and gives way.
CREATE OR REPLACE FUNCTION refuse_all_but_growth() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed bigint := (
        SELECT coalesce(max(size), 0) >> 8 * old.level
        FROM ledger.checkpoints
        WHERE size <= (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events)
    );
    kept integer := least(octet_length(old.hashes) / 32, greatest(0, sealed - old.number * 256));
BEGIN
    IF new.level <> old.level OR new.number <> old.number
        OR substr(new.hashes, 1, 32 * kept) <> substr(old.hashes, 1, 32 * kept)
        OR substr(new.sums, 1, 12 * kept) <> substr(old.sums, 1, 12 * kept)
    THEN
        RAISE EXCEPTION 'What is sealed is never changed: a tile may only grow, and %/% would not.', old.level, old.number
            USING ERRCODE = 'JL001';
    END IF;
    RETURN new;
END
$$;

-- What stood in the place of a checkpoint or a key and can be none, which would end sealing: it is kept, out of the way.
CREATE TABLE set_aside (
    what text NOT NULL,
    size bigint,
    text text NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL
);
CREATE TRIGGER refuse_unsealing BEFORE UPDATE OR DELETE OR TRUNCATE ON set_aside
FOR EACH STATEMENT EXECUTE FUNCTION refuse_unsealing();
ALTER TABLE set_aside ENABLE ALWAYS TRIGGER refuse_unsealing;

ALTER TABLE checkpoints DISABLE TRIGGER refuse_unsealing;
WITH gone AS (
    DELETE FROM checkpoints
    WHERE ledger.fault_of_checkpoint(size, note) IS NOT NULL
    RETURNING size, note, sealed_at
)
INSERT INTO set_aside
SELECT 'checkpoint', size, note, ledger.fault_of_checkpoint(size, note), sealed_at FROM gone;
ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER refuse_unsealing;

ALTER TABLE seal_keys DISABLE TRIGGER refuse_unsealing;
WITH gone AS (
    DELETE FROM seal_keys
    WHERE ledger.fault_of_key(verifier_key) IS NOT NULL
    RETURNING verifier_key, rotation, recorded_at
)
INSERT INTO set_aside
SELECT 'key', NULL, concat_ws(E'\n', verifier_key, rotation), ledger.fault_of_key(verifier_key), recorded_at FROM gone;
ALTER TABLE seal_keys ENABLE ALWAYS TRIGGER refuse_unsealing;

INSERT INTO topics (topic) VALUES ('ledger.break_accepted.v1');

-- A row that is no JSON is shown without what it says; it makes no other unreadable.
CREATE FUNCTION read_json(state bytea) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN convert_from(state, 'UTF8')::json;
EXCEPTION
    WHEN data_exception OR syntax_error_or_access_rule_violation THEN RETURN NULL;
END
$$;
CREATE OR REPLACE VIEW events AS
SELECT
    notification_id AS position,
    split_part(originator_id, ':', 1) AS stream_of,
    substr(originator_id, strpos(originator_id, ':') + 1) AS name,
    originator_version AS version,
    topic,
    recorded_at,
    ledger.read_json(state) AS said
FROM stored_events;

REVOKE ALL ON FUNCTION
    fault_of_checkpoint(bigint, text), fault_of_key(text),
    refuse_forged_tile(), refuse_forged_checkpoint(), refuse_forged_key(), refuse_all_but_growth(), refuse_unsealing()
FROM PUBLIC;
