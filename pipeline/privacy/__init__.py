"""What may not be shown of a table, and how much of its dependence a small one may teach."""
