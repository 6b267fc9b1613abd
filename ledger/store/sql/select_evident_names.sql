SELECT name::text AS name FROM ledger.evident_names() AS name
