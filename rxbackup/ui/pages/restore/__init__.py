"""The restore, step by step: what, how, preview, confirm, progress, result."""
