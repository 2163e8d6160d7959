"""The tables: our own in schema `rxbackup`, and those of the bundled application in schema `public`."""
