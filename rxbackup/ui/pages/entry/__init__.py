"""The pages before a session exists: sign in, and create the first admin."""
