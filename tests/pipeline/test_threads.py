"""PyTorch uses one thread where more bring nothing, and parts are done on all cores."""

import threading
import time

import pytest
import torch

from pipeline.threads import AHEAD, ahead, one_thread


def test_one_thread_within_and_as_many_as_before_after_it() -> None:
    """The number of threads is restored even if the block fails."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        with pytest.raises(ValueError, match="within"), one_thread():
            raise ValueError("within")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_are_done_ahead_and_come_in_order(threads: int) -> None:
    """Every part is done on one thread of PyTorch, a few ahead of the reader, and the first comes first."""
    begun: list[int] = []

    def work(part: int) -> tuple[int, int]:
        begun.append(part)
        time.sleep(0.02 / (1 + part))  # later parts are done sooner
        return part, torch.get_num_threads() if threads > 1 else 1

    results = ahead(work, range(20), threads)
    assert next(results) == (0, 1)
    assert len(begun) <= (1 if threads == 1 else threads + 1)
    assert list(results) == [(part, 1) for part in range(1, 20)]


def at_work() -> list[str]:
    """The names of threads that work ahead."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(AHEAD)]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_part_that_fails_fails_in_its_place(threads: int) -> None:
    """The parts before it come, its error is raised, and the threads end."""

    def work(part: int) -> int:
        return 6 // (2 - part)

    results = ahead(work, range(50), threads)
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert at_work() == []
    reader = ahead(lambda part: part, range(50), threads)
    assert next(reader) == 0
    reader.close()  # as a reader who has enough
    assert at_work() == []


def test_new_threads_are_as_wide_as_before_after_a_reader_who_has_enough() -> None:
    """PyTorch's number of threads for threads to come is the caller's, also if the reader stops early."""
    before, found = torch.get_num_threads(), list[int]()
    try:
        torch.set_num_threads(3)
        results = ahead(lambda part: part, range(50), 2)
        next(results)
        results.close()
        later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        later.start()
        later.join()
        assert found == [3]
    finally:
        torch.set_num_threads(before)
