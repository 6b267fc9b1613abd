-- A document has no field for what is as it is by default; who reads it knows the defaults, which may never change.
UPDATE job_status SET document = (
    SELECT json_object_agg(key, value) AS document
    FROM json_each(document)
    WHERE (key, value::text) NOT IN (
        ('cancel_requested', 'false'), ('contact_lost', 'false'), ('held', 'false'), ('expired', 'false'),
        ('disputed', 'false'), ('residue', 'false'), ('required', 'true'), ('cancellable', 'true'),
        ('end_action', '"none"'), ('depth', '1')
    )
);
