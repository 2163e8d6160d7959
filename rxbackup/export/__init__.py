"""A backup as something other programs read: one JSON document, or a script for psql."""
