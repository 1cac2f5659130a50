"""How a network is trained: the recipe, the feed of rows, and the only training loop."""
