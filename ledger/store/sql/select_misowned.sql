-- What belongs to another than whom the ledger belongs to: what it is, who has it and who must, and whether whoever asks
-- may put that right. The ledger belongs to whom its schema belongs to; where that is a role of the ledger, which owns
-- nothing, to whom its events belong to, else to who asks.
WITH places AS (
    SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
), owning AS (
    SELECT
        coalesce(
            (SELECT candidates.oid FROM pg_roles AS candidates WHERE candidates.oid = nspowner AND rolname <> ALL(%(roles)s)),
            (
                SELECT candidates.oid
                FROM pg_class
                JOIN pg_roles AS candidates ON candidates.oid = relowner
                WHERE relnamespace = places.oid AND relname = 'stored_events' AND rolname <> ALL(%(roles)s)
            ),
            (SELECT candidates.oid FROM pg_roles AS candidates WHERE rolname = current_user)
        ) AS owner
    FROM places
    WHERE nspname = 'ledger'
), owned AS (
    SELECT 'schema' AS kind, quote_ident(nspname) AS name, nspname, nspowner AS owner, 0::oid AS relation FROM places
    UNION ALL
    SELECT
        CASE relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END,
        format('%%I.%%I', nspname, relname),
        nspname,
        relowner,
        classes.oid
    FROM pg_class AS classes
    JOIN places ON places.oid = relnamespace
    WHERE
        relkind IN ('r', 'v', 'S')
        -- That of a column is owned with its table.
        AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objid = classes.oid AND deptype IN ('a', 'i') AND refobjsubid > 0
        )
    UNION ALL
    SELECT 'function', routines.oid::regprocedure::text, nspname, proowner, 0
    FROM pg_proc AS routines
    JOIN places ON places.oid = pronamespace
    WHERE prokind = 'f'
    UNION ALL
    SELECT 'type', format('%%I.%%I', nspname, typname), nspname, typowner, 0
    FROM pg_type
    JOIN places ON places.oid = typnamespace
    JOIN pg_class ON pg_class.oid = typrelid AND relkind = 'c'
)
SELECT
    owned.kind,
    owned.name,
    nspname::text AS place,
    owned.owner::regrole::text AS has,
    owning.owner::regrole::text AS must,
    ARRAY(
        SELECT relname::text
        FROM pg_depend
        JOIN pg_class ON pg_class.oid = objid AND relkind = 'S'
        WHERE classid = 'pg_class'::regclass AND refobjid = owned.relation AND refobjsubid > 0
    ) AS sequences,
    former.rolsuper AND former.rolname <> ALL(%(roles)s) AS trusted,
    former.rolsuper AS needs_superuser,
    pg_has_role(owning.owner, acting) AS acts,
    pg_has_role(owned.owner, 'USAGE') AND pg_has_role(owning.owner, acting)
    AND (owned.kind <> 'schema' OR has_database_privilege(current_database(), 'CREATE')) AS may
FROM owned
CROSS JOIN owning
CROSS JOIN (
    SELECT CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END AS acting
) AS versions
JOIN pg_roles AS former ON former.oid = owned.owner
WHERE owned.owner <> owning.owner
ORDER BY owned.kind <> 'schema', owned.kind, owned.name
