-- While a snapshot is held, as for the hours of a dump, each row that a change replaced stays in the table. So a row is found
-- by an epoch that whoever asks can tell: that of the last event. A change enters the index once in 64 positions.
ALTER TABLE tracking ADD COLUMN IF NOT EXISTS epoch bigint NOT NULL GENERATED ALWAYS AS (position / 64) STORED;
ALTER TABLE tracking DROP CONSTRAINT tracking_pkey, ADD CONSTRAINT tracking_pkey PRIMARY KEY (epoch, view);

-- A statement goes by its plan for long. The table has and keeps so many pages that none is planned to read them all.
ALTER TABLE tracking SET (vacuum_truncate = false, fillfactor = 10);
INSERT INTO tracking (view, version, position) SELECT '', 0, -64 * place FROM generate_series(1, 800) AS place;
DELETE FROM tracking WHERE view = '';
ALTER TABLE tracking SET (fillfactor = 50);
