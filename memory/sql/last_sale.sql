SELECT max(day) AS day FROM sales WHERE day <= %(until)s
