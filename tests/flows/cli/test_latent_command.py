"""`resynth latent`: where rows lie in the latent space of a model, and what lies between them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from small import Outcome, synthesizer, table, write

from flows.tracking import registry
from flows.tracking.store import Run

Command = Callable[..., Outcome]
EVERYTHING = ("--between", 0, 1, "--vary", 2, "--at", 5, "--steps", 3)


def test_means_and_variances_stand_beside_the_columns(command: Command, model: str, tmp_path: Path) -> None:
    """The file has every column as it came, also one that the model does not know, and q(z|x) of each row."""
    given = table().append_column("remark", pa.array([f"no. {i}" for i in range(200)]))
    pq.write_table(given, tmp_path / "data.parquet")
    out = tmp_path / "z.parquet"
    answer = command("latent", model, tmp_path / "data.parquet", "--out", out, "--json").answer
    found = pq.read_table(out)
    latent = len(answer["rates"])
    names = [f"z{j}" for j in range(latent)]
    assert found.column_names == [*given.column_names, *names, *(f"{name}_variance" for name in names)]
    assert found.select(given.column_names).equals(given)
    expected = synthesizer().latent.posterior(table())
    np.testing.assert_array_equal(np.column_stack(found.select(names)), expected.mean)
    np.testing.assert_array_equal(np.column_stack(found.columns[-latent:]), expected.variance)
    assert answer["files"] == [str(out)]
    assert answer["rows"] == 200
    again = command("latent", model, tmp_path / "data.parquet", "--out", out)
    assert again.code == 0, again.err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.parquet", "z.parquet"]


def test_everything_is_answered_drawn_and_shown(command: Command, model: str, tmp_path: Path) -> None:
    """Walks and groups come as JSON, as pictures and for people, and all agree."""
    file = write(tmp_path)
    arithmetic = ("--arithmetic", "group = 'north' & count > 3 − group = 'north' + group = 'south'")
    arguments = ("latent", model, file, *EVERYTHING, *arithmetic)
    answer = command(*arguments, "--pictures", tmp_path / "drawn", "--by", "day", "--json").answer
    drawn = {"map", "density", "rates", "between", "vary", "vary_columns", "arithmetic"}
    assert {Path(each).stem for each in answer["files"]} == drawn
    assert all(Path(each).read_bytes().startswith(b"\x89PNG") for each in answer["files"])
    assert [walk["what"] for walk in answer["between"]] == ["row 0 to row 1, straight", "row 0 to row 1, spherical"]
    walk = synthesizer().latent.between(table(), 0, 1, steps=3)
    assert [row["count"] for row in answer["between"][0]["rows"]] == walk.rows["count"].to_pylist()
    assert answer["vary"]["what"].startswith("z2 from ")
    assert answer["vary"]["what"].endswith("at row 5")
    assert len(answer["vary"]["places"]) == 4
    counts = [(group["sign"], group["rows"]) for group in answer["arithmetic"]["groups"]]
    frame = table().to_pandas()
    north, south = frame["group"] == "north", frame["group"] == "south"
    assert counts == [(1, (north & (frame["count"] > 3)).sum()), (-1, north.sum()), (1, south.sum())]
    text = command(*arguments)
    assert text.code == 0, text.err
    assert "row 0 to row 1, spherical" in text.out
    assert "+ group == 'south'" in text.out
    assert "active units" in text.out.splitlines()[0]


def test_a_table_without_types_is_read_like_that_of_the_model(command: Command, model: str, tmp_path: Path) -> None:
    """CSV gives the same posterior as Parquet."""
    pyarrow.csv.write_csv(table(), tmp_path / "data.csv")
    outcome = command("latent", model, tmp_path / "data.csv", "--out", tmp_path / "z.parquet", "--json")
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(
        pq.read_table(tmp_path / "z.parquet")["z0"], synthesizer().latent.posterior(table()).mean[:, 0]
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--between", 0, 200), "a row from 0 to 199, got 200"),
        (("--between", 0, "x"), "a whole number"),
        (("--between", 0), "--between"),
        (("--vary", 99), "a dimension from 0 to 11, got 99"),
        (("--vary", 0, "--at", 200), "a row from 0 to 199, got 200"),
        (("--vary", 0, "--steps", 0), "1 to 100 steps, got 0"),
        (("--at", 3), "--vary DIM beside it"),
        (("--steps", 3), "--between ROW ROW or --vary DIM"),
        (("--by", "day"), "--pictures DIR beside it"),
        (("--map", "tsne", "--pictures", "p"), "umap"),
        (("--by", "dya", "--pictures", "p"), "did you mean day?"),
        (("--arithmetic", "group = 'east'"), "a group with rows, got none"),
        (("--arithmetic", "gruop = 'north'"), "'gruop'"),
        (("--arithmetic", "group ="), "expected a condition"),
        (("--out", "z.csv"), "NAME.parquet"),
        (("--out", "none/z.parquet"), "a directory at none"),
        (("--out", "data.parquet"), "another file than the table itself"),
        (("--out", "other.parquet"), "left alone"),
        (("--pictures", "data.parquet"), "a directory, got the file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    command: Command,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    says: str,
) -> None:
    """Exit code 2, a line that says what was expected, and nothing is written."""
    write(tmp_path)
    write(tmp_path, "other")
    monkeypatch.chdir(tmp_path)
    outcome = command("latent", model, "data.parquet", *arguments)
    assert outcome.code == 2
    assert says in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.parquet", "other.parquet"]
    assert pq.read_table("other.parquet").equals(table())


def test_a_table_that_is_another_is_refused(command: Command, model: str, tmp_path: Path) -> None:
    """A missing column and a column with the name of an answer are named."""
    file = tmp_path / "data.parquet"
    pq.write_table(table().drop_columns(["day"]), file)
    assert "'day' is missing" in command("latent", model, file).err
    pq.write_table(table().append_column("z3", pa.array(range(200))), file)
    outcome = command("latent", model, file)
    assert outcome.code == 2
    assert "no column 'z3'" in outcome.err


def test_umap_is_an_extra(command: Command, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, one line says how to install it, and nothing is drawn."""
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    outcome = command("latent", model, write(tmp_path), "--pictures", tmp_path / "drawn", "--map", "umap")
    assert outcome.code == 2
    assert "pip install 'resynth[umap]'" in outcome.err
    assert not (tmp_path / "drawn").exists()


def test_a_model_without_a_network_has_no_latent_space(command: Command, home: Path, tmp_path: Path) -> None:
    """A table of constants is refused in one line."""
    from pipeline.synthesizer import Synthesizer  # noqa: PLC0415 - only here

    constant = pa.table({"a": [1] * 40})
    pq.write_table(constant, tmp_path / "data.parquet")
    with Run.start("cli-constant", {}) as run:
        Synthesizer.fit(constant).save(tmp_path / "model" / "synthesizer")
        registry.promote(registry.register(run, tmp_path / "model" / "synthesizer", {"data_digest": "d"}))
    outcome = command("latent", "cli-constant", tmp_path / "data.parquet")
    assert outcome.code == 2
    assert "no latent space" in outcome.err
