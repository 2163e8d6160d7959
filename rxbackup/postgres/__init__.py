"""Rows: everything that speaks to PostgreSQL about what exists and what it holds. Knows nothing of stored bytes."""
