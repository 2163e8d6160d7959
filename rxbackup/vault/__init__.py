"""Bytes kept safe: cut, named by their content, squeezed, sealed, and found again.

`docs/vault-format.md` describes every byte that lands in a store. This room knows nothing of rows or tables beyond
the names in a manifest.
"""
