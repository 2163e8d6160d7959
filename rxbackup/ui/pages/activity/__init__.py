"""Activity: every run that ended, and everything people did."""
