"""Serving over HTTP: finding the built page, starting the server, and the wall around every request."""
