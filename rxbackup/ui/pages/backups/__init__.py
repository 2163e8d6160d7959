"""Backup Management: the list, the dialogs that act on it, and the page of one backup."""
