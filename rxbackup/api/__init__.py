"""The HTTP door: signing in and out, downloads, health, and the API for programs."""
