"""Looking into a backup: the rows of its tables."""
