-- How far each followed view has come; its rows and this are written in one transaction.

CREATE TABLE tracking (
    view text PRIMARY KEY,
    version integer NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 50);
