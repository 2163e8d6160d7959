"""Building blocks of the pages. They take values and handlers and import no state."""
