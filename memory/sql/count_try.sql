UPDATE access_try
SET failures = %(failures)s, last = %(now)s
WHERE client = %(client)s
