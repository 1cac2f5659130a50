"""PyTorch uses one thread where more bring nothing."""

import pytest
import torch

from pipeline.threads import one_thread


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
