"""The trash: deleted backups wait here, whole, until their days are over."""
