"""From what somebody wants back to the engine, and from its report to what is told."""
