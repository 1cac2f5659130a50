"""Arrow values, independent of the table they are in: types, widening, labels, and numbers as positions."""
