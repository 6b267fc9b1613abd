-- Nobody is given rights beforehand on what will be made in the schemas of the ledger; what roles promise is taken back
-- where whoever migrates may act as them.
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT
            defaclrole::regrole::text AS role,
            nspname,
            kinds.word AS kind,
            coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC') AS grantee,
            string_agg(privilege_type, ', ' ORDER BY privilege_type) AS rights
        FROM pg_default_acl
        JOIN (
            VALUES
                ('r'::"char", 'r'::"char", 'TABLES'), ('S', 's', 'SEQUENCES'), ('f', 'f', 'FUNCTIONS'), ('T', 'T', 'TYPES'),
                ('n', 'n', 'SCHEMAS')
        ) AS kinds (stored, builtin, word) ON kinds.stored = defaclobjtype
        LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
        CROSS JOIN LATERAL aclexplode(defaclacl) AS given
        WHERE
            (
                nspname IN ('ledger', 'projections', 'projections_rebuild', 'history')
                OR (defaclnamespace = 0 AND defaclrole IN (
                    SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger'
                    UNION ALL
                    SELECT oid FROM pg_roles
                    WHERE rolname IN ('jobledger_writer', 'jobledger_projector', 'jobledger_reader', 'jobledger_sealer')
                ))
            )
            AND grantee <> defaclrole
            AND pg_has_role(defaclrole, 'USAGE')
            AND NOT (
                defaclnamespace = 0 AND grantee = 0 AND privilege_type IN (
                    SELECT builtin.privilege_type
                    FROM aclexplode(acldefault(kinds.builtin, defaclrole)) AS builtin
                    WHERE builtin.grantee = 0
                )
            )
        GROUP BY defaclrole, nspname, kinds.word, grantee
    LOOP
        EXECUTE format(
            'ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE %s ON %s FROM %s',
            part.role, ' IN SCHEMA ' || quote_ident(part.nspname), part.rights, part.kind, part.grantee
        );
        RAISE NOTICE 'What % makes% no longer gives % on % to %.',
            part.role, coalesce(' in schema ' || quote_ident(part.nspname), ''), part.rights, lower(part.kind), part.grantee
            USING ERRCODE = 'JL000';
    END LOOP;
END
$$;
