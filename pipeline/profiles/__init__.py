"""Summaries of tables without their rows, and what is remembered of a training table."""
