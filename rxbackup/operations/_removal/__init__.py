"""The ways in which backups go: into the trash, and for good."""
