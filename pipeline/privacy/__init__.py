"""Which values of a table may be published, and how much dependence between columns a small table may teach."""
