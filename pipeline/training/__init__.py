"""How a model is fitted: the recipe, the feed of rows, the only training loop."""
