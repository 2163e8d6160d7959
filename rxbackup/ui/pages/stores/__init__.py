"""Stores: where backups rest, whether those places work, and how full they are."""
