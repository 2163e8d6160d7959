"""Schedules: when backups are taken by themselves, what became of it, and what is kept."""
