"""A reader of RDS files, the format of R's ``saveRDS``."""
