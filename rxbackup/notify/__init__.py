"""How people are told: letters, and the ways they go. Knows nothing of backups, tables or who is asked."""
