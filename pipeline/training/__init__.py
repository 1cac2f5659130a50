"""How a network is trained: the recipe, the feed of rows, and the only training loop."""

from pipeline.settings import TrainingSettings

__all__ = ["TrainingSettings"]  # scripts still import it from here
