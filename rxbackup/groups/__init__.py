"""What belongs together: groups of tables, named for people."""
