"""How large a chunk may be."""

from __future__ import annotations

CHUNK_BYTES = 8 * 1024 * 1024
"""The largest chunk. Two of them, anchor and chunk, fill the window of a difference.

Rows are cut into chunks where they are read (`postgres.copy_out.read_rows`): at row ends, so that equal rows give equal
chunks. A longer row is cut anywhere: a segment is always the concatenation of its chunks.
"""
