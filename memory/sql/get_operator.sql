SELECT handle FROM access_operator
