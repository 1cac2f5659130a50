"""Encoded rows: how they are cut."""

import pytest
import torch

from pipeline.models.rows import Rows


@pytest.mark.parametrize(("variables", "longest"), [(3, 2048), (64, 2048), (128, 1024), (1000, 256)])
def test_parts_of_wide_tables_are_shorter(variables, longest):
    """The pieces are the rows in order, with at most 2^17 values each, but at least 256 rows."""
    codes = torch.arange(5000).unsqueeze(1).expand(5000, variables)
    parts = list(Rows({"symbols": codes}).parts())
    assert max(map(len, parts)) == longest
    assert torch.equal(torch.cat([part.values["symbols"] for part in parts]), codes)
