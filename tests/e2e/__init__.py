"""Journeys in a browser, and the real app as a process."""
