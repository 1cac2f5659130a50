"""Threads: one for a network, and one network on each core.

The networks are small and have many steps, so a second thread gains nothing within a step. On a busy machine, threads
mostly wait for each other. With one thread, a seed gives the same result on any number of cores. Work that falls into
parts, such as blocks of generated rows, is done on several cores, a part on each (`ahead`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

AHEAD = "resynth-ahead"
"""How the names of threads begin that work ahead."""
Part = TypeVar("Part")
Result = TypeVar("Result")


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with PyTorch on one thread, within this context or, as a decorator, within a function."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def ahead(work: Callable[[Part], Result], parts: Iterable[Part], threads: int) -> Iterator[Result]:
    """The results of the parts in their order. At most one more than `threads` are at work or wait to be taken.

    Args:
        work: Makes the result of a part, with PyTorch on one thread. Other threads run it at the same time.
        parts: The parts.
        threads: How many threads work. With one, it is the thread that asks.
    """
    if threads == 1:
        yield from map(work, parts)
        return
    waiting: deque[Future[Result]] = deque()
    try:
        with ThreadPoolExecutor(threads, AHEAD, torch.set_num_threads, (1,)) as pool:
            try:
                for part in parts:
                    waiting.append(pool.submit(work, part))
                    if len(waiting) > threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
    finally:  # some libraries take the number that was set last, in any thread
        torch.set_num_threads(torch.get_num_threads())
