VALUES (%(type)s::text, %(id)s::text)
