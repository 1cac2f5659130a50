"""Arithmetic with groups of rows: how it is read, and what it gives."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import SettingsError
from pipeline.queries.arithmetic import ROWS, arithmetic, terms
from pipeline.relations.rules import Rule
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


def people(rows: int = 1500) -> pa.Table:
    """Sex, and a size that depends on it; some sizes are null."""
    random = np.random.default_rng(0)
    female = random.random(rows) < 0.4
    size = np.round(np.where(female, 160.0, 180.0) + random.normal(0, 3, rows), 1)
    return pa.table(
        {
            "sex": np.where(female, "F", "M"),
            "size": pa.array(size, mask=random.random(rows) < 0.1),
            "old": random.random(rows) < 0.3,
        }
    )


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    """A small model of the table."""
    settings = TrainingSettings(epochs=8, batch=64)
    return Synthesizer.fit(people(), model=ModelSettings(latent=3, width=32), training=settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age > 40", [(1, "age > 40")]),
        ("a = 1 − b = 2 + c == 3", [(1, "a == 1"), (-1, "b == 2"), (1, "c == 3")]),
        ("x = 'a - b + c=d & e|f' & y", [(1, "x == 'a - b + c=d & e|f' and y")]),
        ("`p − q` >= -5 - z <= +2", [(1, "`p − q` >= - 5"), (-1, "z <= + 2")]),
        ("(a - b) > 3 days | c - d", [(1, "( a - b ) > 3 days or c"), (-1, "d")]),
        ("a in (1, -2) - b != 3", [(1, "a in ( 1 , - 2 )"), (-1, "b != 3")]),
        ("a && b || not c", [(1, "a and b or not c")]),
    ],
)
def test_expressions_are_read(text, expected):
    """Signs between conditions join groups; signs of numbers, in brackets and in quotes do not."""
    assert terms(text) == expected


@pytest.mark.parametrize("text", ["", "- sex = 'F'", "sex = 'F' -", "sex = 'F' - - old", "sex = 'F' ; old", "x" * 2000])
def test_what_is_no_expression_is_refused(text):
    """One line that says what was expected."""
    with pytest.raises(SettingsError, match=r"expected .*got"):
        _ = [Rule.parse(condition, people().schema) for _, condition in terms(text)]


def test_the_point_is_the_sum_of_means(synthesizer):
    """The mean of E[z|x] over each group, added and subtracted. A null meets no condition."""
    table, z = people(), synthesizer.encode(people())
    female, old = (np.array(table[name].to_pylist()) for name in ("sex", "old"))
    size = table["size"].to_pandas().to_numpy()
    groups = [(female == "F") & old, ~old, size < 200]
    means = [z[group].mean(0, dtype=float) for group in groups]
    found = arithmetic(synthesizer.fitted, table, "sex = 'F' & old - not old + size < 200")
    np.testing.assert_allclose(found.z, means[0] - means[1] + means[2], atol=1e-5)
    assert [group.rows for group in found.groups] == [int(group.sum()) for group in groups]
    assert [group.sign for group in found.groups] == [1, -1, 1]
    assert found.rows.num_rows == ROWS


def test_the_result_has_what_was_added_and_lacks_what_was_taken_away(synthesizer):
    """Women − women + men are men, of a man's size."""
    found = arithmetic(synthesizer.fitted, people(), "sex = 'F' & size > 0 - sex = 'F' + sex = 'M'")
    columns = {each.name: each for each in found.compositions(synthesizer.schema)}
    assert [side.value for side in (*columns["sex"].groups, columns["sex"].decoded)] == ["F", "F", "M", "M"]
    assert columns["sex"].decoded.share > 0.9
    assert float(columns["size"].decoded.value) == pytest.approx(180, abs=3)
    median = np.nanquantile(people().filter(pa.compute.equal(people()["sex"], "M"))["size"].to_pandas(), 0.5)
    assert float(columns["size"].groups[2].value) == pytest.approx(median, abs=0.2)


def test_an_empty_group_and_an_unknown_column_are_refused(synthesizer):
    """The line names the condition."""
    with pytest.raises(SettingsError, match=r"size > 999.*a group with rows, got none"):
        arithmetic(synthesizer.fitted, people(), "sex = 'F' - size > 999")
    with pytest.raises(SettingsError, match=r"expected a column of the table.*'sxe'"):
        arithmetic(synthesizer.fitted, people(), "sxe = 'F'")
