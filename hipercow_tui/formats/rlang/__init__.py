"""R values: reading them from RDS files (``rds``) and writing them as R code (``deparse``)."""
