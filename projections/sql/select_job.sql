SELECT row_to_json(shown)::text AS told FROM job_view AS shown WHERE job = %(job)s
