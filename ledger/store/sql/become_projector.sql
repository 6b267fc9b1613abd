-- The projector owns the views where it exists; without the roles, whoever migrates does.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jobledger_projector' AND pg_has_role(oid, 'MEMBER')) THEN
        SET LOCAL ROLE jobledger_projector;
    END IF;
END
$$;
