"""What a fitted model is asked: the bound of given rows."""
