"""What holds between the columns of a table: rules that a user declares."""
