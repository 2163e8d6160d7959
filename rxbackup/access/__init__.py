"""Who may come in: actors, roles, passwords, sessions and the brake on guessing."""
