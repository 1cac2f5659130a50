"""Generated benchmark tables keep their own rules, and rows that break them are found."""

import numpy as np
import pytest
from tables import BENCHMARKS, LOOKED_AT, RESERVE, split

RULED = [name for name, table in (LOOKED_AT | RESERVE).items() if table.broken]


@pytest.mark.parametrize("name", RULED)
def test_real_rows_break_no_rule_and_shuffled_columns_do(name: str) -> None:
    """No row of either part breaks a rule; once every column is shuffled by itself, most rows do."""
    broken = BENCHMARKS[name].broken
    parts = [part.to_pandas() for part in split(name)]
    assert not any(broken(part).any() for part in parts)
    random = np.random.default_rng(0)
    shuffled = parts[1].apply(lambda column: column.to_numpy()[random.permutation(len(column))])
    assert broken(shuffled).mean() > 0.5


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name not in {"beijing", "default", "adult"}])
def test_parts_are_two_draws_of_one_schema(name: str) -> None:
    """Training and test rows have the same columns, the target among them and without nulls."""
    train, test = split(name)
    assert train.schema.equals(test.schema)
    assert train[BENCHMARKS[name].target].null_count == 0
    assert not set(BENCHMARKS[name].categories) - set(train.column_names)
