-- What other statements begin with: the schemas of the ledger, who owns things, and the relations in them. Those of a
-- rebuild are left out, for they come and go.
WITH places AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
), owners AS (
    SELECT
        oid,
        CASE
            WHEN rolname = ANY(%(roles)s) THEN rolname
            WHEN rolsuper OR oid = (SELECT nspowner FROM places WHERE nspname = 'ledger') THEN 'who migrates'
            ELSE rolname
        END AS name
    FROM pg_roles
), relations AS (
    SELECT classes.*, format('%%I.%%I', places.nspname, classes.relname) AS name
    FROM pg_class AS classes
    JOIN places ON places.oid = classes.relnamespace AND places.nspname <> 'projections_rebuild'
), kinds (relkind, kind) AS (
    VALUES
        ('r'::"char", 'table'), ('p', 'table'), ('f', 'foreign table'), ('m', 'materialized view'), ('v', 'view'),
        ('S', 'sequence')
), routines (prokind, kind) AS (
    VALUES ('f'::"char", 'function'), ('p', 'procedure'), ('a', 'aggregate'), ('w', 'window function')
), functions AS (
    SELECT routines.*, routines.oid::regprocedure::text AS name
    FROM pg_proc AS routines
    JOIN places ON places.oid = routines.pronamespace
)
