"""Queries of a fitted model: generated rows, rows back from their z, and the bound of given rows."""
