"""The envelope around every run: its row, its heartbeat, its end."""
