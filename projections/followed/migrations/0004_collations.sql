-- No index is in the order of the database, which may change with the system beneath it.
ALTER TABLE tracking ALTER view TYPE text COLLATE "C";
