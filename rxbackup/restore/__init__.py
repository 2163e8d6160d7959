"""Give a backup back: a plan first, then one transaction that makes the chosen tables exactly what they were."""
