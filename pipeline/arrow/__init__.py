"""What is true of Arrow values whatever table they are in: types, widths, labels, numbers as positions."""
