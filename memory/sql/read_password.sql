SELECT hash FROM operator_password
