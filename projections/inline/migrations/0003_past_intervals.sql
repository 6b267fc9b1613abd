-- What is open and what is past have an index each, so that the past of an entity is never read to find who holds it now.

DROP INDEX running_jobs_past;
CREATE INDEX running_jobs_past ON running_jobs (entity_type, entity_id, from_position) WHERE to_position IS NOT NULL;
