"""What operations do with backups, and between rows and views."""
