"""When backups are due. Pure: a rule, a time zone and a moment → the moments that follow. No clock, no database."""
