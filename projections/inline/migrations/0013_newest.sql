-- While a snapshot is held, as for the hours of a dump, each row that a change replaced stays in the table. So the newest
-- rows, which all have the newest epoch, are found from the end of an index, which a change enters once in 64 positions.
ALTER TABLE tracking ADD COLUMN IF NOT EXISTS epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE tracking DROP CONSTRAINT tracking_pkey, ADD CONSTRAINT tracking_pkey PRIMARY KEY (epoch, view);
UPDATE tracking SET epoch = (SELECT max(position) / 64 FROM tracking);

-- A statement goes by its plan for long. The table has and keeps so many pages that none is planned to read them all.
ALTER TABLE tracking SET (vacuum_truncate = false, fillfactor = 10);
INSERT INTO tracking (epoch, view, version, position) SELECT -place, '', 0, 0 FROM generate_series(1, 800) AS place;
DELETE FROM tracking WHERE epoch < 0;
ALTER TABLE tracking SET (fillfactor = 50);
