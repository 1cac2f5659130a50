"""Numbers of a training that follow the table."""

import math

import pytest
import torch

from pipeline.columns.variables import Discrete, Real
from pipeline.errors import SettingsError
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.feed import Feed
from pipeline.training.recipe import Recipe, free_bits, shape_for, weight_decay


def sizes(variables: int, rows: int):
    """The sizes that are chosen for a table."""
    return shape_for(Layout((Discrete(20),) * variables), rows, ModelSettings())


def recipe(rows: int, model: ModelSettings | None = None, **training: object) -> Recipe:
    """The recipe for a table of three columns."""
    layout = Layout((Discrete(20),) * 3)
    feed = Feed(layout, Rows({"symbols": torch.arange(rows).unsqueeze(1).expand(rows, 3) % 20}))
    return Recipe.of(layout, feed, model or ModelSettings(), TrainingSettings(**training))


def test_free_bits_follow_the_information_of_a_row():
    """Four fair coins tell 4 log 2 nats, a third of which is free; rich rows get 8 nats and no more."""
    coins = torch.tensor([[(i >> k) & 1 for k in range(4)] for i in range(16)]).repeat(10, 1)
    feed = Feed(Layout((Discrete(2),) * 4), Rows({"symbols": coins}))
    assert free_bits(feed) == pytest.approx(4 * math.log(2) / 3)
    assert free_bits(Feed(Layout((Real(-1, 1),) * 50), Rows({"reals": torch.zeros(10, 50)}))) == 8


def test_networks_follow_the_table():
    """Few rows get a smaller network than many; many columns get narrower states than few."""
    few, many, wide = sizes(15, 400), sizes(15, 30_000), sizes(500, 30_000)
    assert few.width < many.width
    assert few.components < many.components
    assert wide.hidden < many.hidden


@pytest.mark.parametrize("rows", [20, 500, 30_000, 500_000])
def test_the_number_of_steps_is_bounded(rows):
    """Neither a tiny nor a huge table gets an unreasonable number of steps: from 100 to 12,000."""
    made = recipe(rows)
    assert 100 <= made.epochs * max(1, rows // made.batch) <= 12_000


def test_what_the_user_says_is_obeyed():
    """Given sizes and lengths are taken as they are, zeros among them."""
    model = ModelSettings(width=10, hidden=6, components=2, dropout=0.0)
    made = recipe(100, model, epochs=3, batch=7, free_bits=0.0, weight_decay=0.0, patience=2)
    shape = made.shape
    assert (shape.width, shape.hidden, shape.components, shape.dropout) == (10, 6, 2, 0.0)
    assert (made.epochs, made.batch, made.free_bits, made.weight_decay, made.patience) == (3, 7, 0.0, 0.0, 2)


def test_a_recipe_leaves_nothing_open():
    """Every number is there, and it round-trips through JSON as the run logs it."""
    made = recipe(1_000)
    assert None not in made.model_dump().values()
    assert Recipe.model_validate_json(made.model_dump_json()) == made


def test_few_rows_are_held_back_more():
    """Weight decay falls with the rows, between its bounds."""
    decays = [weight_decay(rows) for rows in (100, 1_600, 4_000, 8_000, 1_000_000)]
    assert decays == pytest.approx([1.0, 1.0, 0.4, 0.3, 0.3])


def test_a_recipe_says_what_was_done():
    """It names the device instead of "auto", and a batch has no more rows than there are."""
    assert recipe(20).batch == 20
    assert recipe(20, batch=512).batch == 20
    assert recipe(20, device="auto").device == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(SettingsError, match="expected a device of this machine"):
        recipe(20, device="cuda:99")
