"""Is what is stored still what was written? Looks, and changes nothing."""
