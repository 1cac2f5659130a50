"""Summaries of tables without their rows, and the reference that is kept of a training table."""
