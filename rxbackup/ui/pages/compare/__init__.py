"""What differs between two backups, or between one and now."""
