"""The tour of the library, `docs/tour.ipynb`."""

import ast
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
CELLS = [
    cell for cell in json.loads((ROOT / "docs" / "tour.ipynb").read_text())["cells"] if cell["cell_type"] == "code"
]


@pytest.mark.usefixtures("training")
def test_the_tour_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs after those above it, beside nothing but the example table, and says what the text says."""
    shutil.copyfile(ROOT / "data" / "adult_train.parquet", tmp_path / "adult_train.parquet")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    shown = []
    for cell in CELLS:
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell["id"], "exec"), names)  # noqa: S102 - our own page
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), cell["id"], "eval"), names))  # noqa: S307
    assert isinstance(shown[0], pd.DataFrame)
    assert any(isinstance(each, Figure) for each in shown)
    assert any(each is True for each in shown)  # no generated pair of labels is new


def test_the_tour_comes_with_its_results() -> None:
    """A reader of the page sees what each cell gives: tables, a picture, and no error."""
    kinds = {kind for cell in CELLS for output in cell["outputs"] for kind in output.get("data", {})}
    assert {"text/html", "image/png"} <= kinds
    assert not [output for cell in CELLS for output in cell["outputs"] if output["output_type"] == "error"]
