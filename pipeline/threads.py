"""How many threads PyTorch gets.

The networks are small and their steps many: a second thread brings nothing, in training or in generation, and on a busy
machine threads mostly wait for each other. One thread also leaves the other cores to whatever else runs, and a seed
gives the same result on any number of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Within this PyTorch computes on one thread of the processor; as a decorator, within a function."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
