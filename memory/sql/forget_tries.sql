DELETE FROM access_try
WHERE client IN (SELECT client FROM access_try WHERE last < %(before)s FOR UPDATE SKIP LOCKED)
