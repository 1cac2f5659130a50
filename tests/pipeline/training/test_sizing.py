"""Sizes that follow the table."""

import math

import pytest
import torch

from pipeline.columns import Discrete
from pipeline.models.layout import Layout
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.optimization import Rows
from pipeline.training.sizing import free_bits, resolve, weight_decay


def sizes(variables: int, rows: int):
    """What is chosen for a table."""
    return resolve(Layout((Discrete(20),) * variables), rows, ModelSettings(), TrainingSettings())


def test_free_bits_follow_the_information_of_a_row():
    """Four fair coins tell 4 log 2 nats, a third of which is free; rich rows get 8 nats and no more."""
    coins = torch.tensor([[(i >> k) & 1 for k in range(4)] for i in range(16)]).repeat(10, 1)
    assert free_bits(Rows(coins, torch.zeros(160, 0))) == pytest.approx(4 * math.log(2) / 3)
    assert free_bits(Rows(torch.zeros(10, 0, dtype=torch.long), torch.zeros(10, 50))) == 8


def test_networks_follow_the_table():
    """Few rows get a smaller network than many; many columns get narrower states than few."""
    few, many, wide = sizes(15, 400)[0], sizes(15, 30_000)[0], sizes(500, 30_000)[0]
    assert few.width < many.width
    assert few.components < many.components
    assert wide.hidden < many.hidden


@pytest.mark.parametrize("rows", [20, 500, 30_000, 500_000])
def test_the_number_of_steps_is_bounded(rows):
    """Neither a tiny nor a huge table gets an unreasonable number of steps: from 100 to 12,000."""
    _, epochs, batch = sizes(15, rows)
    assert 100 <= epochs * max(1, rows // batch) <= 12_000


def test_what_the_user_says_is_obeyed():
    """Given sizes and lengths are taken as they are."""
    given = ModelSettings(width=10, hidden=6, components=2, dropout=0.0)
    shape, epochs, batch = resolve(Layout((Discrete(3),)), 100, given, TrainingSettings(epochs=3, batch=7))
    assert (shape.width, shape.hidden, shape.components, shape.dropout, epochs, batch) == (10, 6, 2, 0.0, 3, 7)


def test_few_rows_are_held_back_more():
    """Weight decay falls with the rows, between its bounds."""
    decays = [weight_decay(rows) for rows in (100, 1_600, 4_000, 8_000, 1_000_000)]
    assert decays == pytest.approx([1.0, 1.0, 0.4, 0.3, 0.3])
