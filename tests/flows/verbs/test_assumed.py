"""What a run says that it assumed, and what becomes of that when the settings are pasted."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from small import LENIENT, TINY, Outcome, table


def test_a_run_ends_with_what_it_assumed_and_takes_the_settings_that_it_prints(
    tmp_path: Path, command: Callable[..., Outcome]
) -> None:
    """The list stands once, after the decision. With its settings, the next run assumes nothing of these columns."""
    rows = table(300).append_column("ticket_id", pa.array(np.arange(300) + 7_000))
    rows = rows.append_column("again", rows["count"]).append_column("tags", pa.array([[1]] * 300))
    pq.write_table(rows, tmp_path / "tickets.parquet")
    file = tmp_path / "settings.toml"
    file.write_text(TINY + LENIENT)
    given = ("run", tmp_path / "tickets.parquet", "--name", "assumed", "--config", file)
    done = command(*given)
    assert done.code == 0, done.err
    before, _, told = done.out.partition("what resynth assumed")
    assert "is the champion" in before
    assert "ticket_id" not in before
    listed, _, document = told.partition("to overrule, at the end of resynth.toml:\n")
    assert "cannot be modelled by themselves: tags" in listed
    assert "again = count (" in listed
    values = tomllib.loads(document)
    assert values["columns"]["ticket_id"] == {"kind": "numeric"}
    assert values["relations"]["off"] == ["again = count"]
    file.write_text(TINY + LENIENT + document)
    again = command(*given, "--json")
    assert again.code == 0, again.err
    left = again.answer["assumptions"]
    assert not {"identifier", "left out"} & {each["sort"] for each in left}
    assert "again = count" not in {each["what"] for each in left}
    assert again.answer["warnings"] == []
