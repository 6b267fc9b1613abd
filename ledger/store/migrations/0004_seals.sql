-- The Merkle tree over the events, the checkpoints that were signed over it, and the public halves of the keys.
-- Only signatures prove anything; what is refused here keeps mistakes away, not the owner of the database.

CREATE TABLE tiles (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    sums bytea NOT NULL,
    PRIMARY KEY (level, number)
);
ALTER TABLE tiles ALTER COLUMN hashes SET STORAGE EXTERNAL, ALTER COLUMN sums SET STORAGE EXTERNAL;

CREATE TABLE checkpoints (
    size bigint NOT NULL CHECK (size >= 0),
    number bigint GENERATED ALWAYS AS IDENTITY,
    note text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (size, number)
);

-- A key that came in the place of another has the rotation that both signed.
CREATE TABLE seal_keys (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verifier_key text NOT NULL UNIQUE,
    rotation text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION refuse_unsealing() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'What is sealed is never changed: % on %.% is refused.', tg_op, tg_table_schema, tg_table_name
        USING ERRCODE = 'JL001';
END
$$;

-- A tile that is not full grows at its end, and in no other way.
CREATE FUNCTION refuse_all_but_growth() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF new.level <> old.level OR new.number <> old.number
        OR substr(new.hashes, 1, octet_length(old.hashes)) <> old.hashes
        OR substr(new.sums, 1, octet_length(old.sums)) <> old.sums
    THEN
        RAISE EXCEPTION 'What is sealed is never changed: a tile may only grow, and %/% would not.', old.level, old.number
            USING ERRCODE = 'JL001';
    END IF;
    RETURN new;
END
$$;

CREATE TRIGGER refuse_all_but_growth BEFORE UPDATE ON tiles FOR EACH ROW EXECUTE FUNCTION refuse_all_but_growth();
ALTER TABLE tiles ENABLE ALWAYS TRIGGER refuse_all_but_growth;
CREATE TRIGGER refuse_unsealing BEFORE DELETE OR TRUNCATE ON tiles
FOR EACH STATEMENT EXECUTE FUNCTION refuse_unsealing();
ALTER TABLE tiles ENABLE ALWAYS TRIGGER refuse_unsealing;
CREATE TRIGGER refuse_unsealing BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints
FOR EACH STATEMENT EXECUTE FUNCTION refuse_unsealing();
ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER refuse_unsealing;
CREATE TRIGGER refuse_unsealing BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_keys
FOR EACH STATEMENT EXECUTE FUNCTION refuse_unsealing();
ALTER TABLE seal_keys ENABLE ALWAYS TRIGGER refuse_unsealing;
