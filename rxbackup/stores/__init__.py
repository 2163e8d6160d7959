"""Where a vault's objects rest: named byte strings, and nothing else.

A store knows five verbs (put, get, list, stat, delete) and one atomic promise (`put(..., if_absent=True)`).
It never sees a row, a key or a plain byte.
"""
