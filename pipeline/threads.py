"""The number of threads of PyTorch.

The networks are small and have many steps, so a second thread gains nothing, in training or in generation. On a busy
machine, threads mostly wait for each other. One thread also leaves the other cores to other work, and a seed gives the
same result on any number of cores.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with PyTorch on one thread, within this context or, as a decorator, within a function."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
