"""Places where backups rest: joined, looked through, freed of what nobody needs."""
