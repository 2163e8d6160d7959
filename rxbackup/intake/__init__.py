"""Files that come from elsewhere, taken in: believed in nothing, read within bounds, streamed."""
