"""From what happened to who hears of it."""
