"""Sorts from outside: the order in which they are registered changes no layout, and impossible names are refused."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.columns.variables import Discrete, Variable
from pipeline.errors import SettingsError
from pipeline.models import heads
from pipeline.models.heads import HEADS
from pipeline.models.heads.reals import Reals
from pipeline.models.layout import Layout


@dataclass(frozen=True)
class First(Variable):
    """A variable of a sort of its own."""

    sort = "alpha"
    dtype = np.float32


@dataclass(frozen=True)
class Second(Variable):
    """A variable of another sort."""

    sort = "beta"
    dtype = np.float32


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """No sort of these tests is known afterwards."""
    yield
    for sort in (First.sort, Second.sort):
        HEADS.pop(sort, None)


@pytest.mark.parametrize("sorts", [("alpha", "beta"), ("beta", "alpha")])
def test_slots_do_not_depend_on_the_order_of_registration(sorts):
    """A saved model finds its weights in a program that registers its sorts in another order."""
    for sort in sorts:
        heads.register(sort, Reals())
    assert list(HEADS) == ["symbols", "reals", "alpha", "beta"]
    assert Layout((Second(), First(), Discrete(3))).slots == (2, 1, 0)


@pytest.mark.parametrize("sort", ["values", "a.b", ""])
def test_names_that_no_module_can_have_are_refused(sort):
    """They are refused when they are registered, not in the first training."""
    with pytest.raises(SettingsError, match="expected a sort of variable whose name a module can have"):
        heads.register(sort, Reals())
    assert sort not in HEADS
