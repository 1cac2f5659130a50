"""The public face: its names, their docstrings, and the examples in them."""

import doctest
import inspect
import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pipeline
from pipeline import Synthesizer, TrainingSettings

NAMES = """
    Assumption BusyError Column ColumnSettings DamagedError Decision DiskFullError DriftReport DriftSettings Evaluation
    EvaluationSettings FormatError GateSettings InputError ModelSettings NotFoundError PrivacySettings Profile
    ReadSettings Reference RelationSettings ResynthError Schema SchemaError Score ScoreSettings SettingsError Split
    SplitSettings Synthesizer TableError TrainingSettings compare decide evaluate infer read split
"""
EXAMPLES = [name for name in pipeline.__all__ if not name.endswith("Error")]
METHODS = ["fit", "sample", "table", "batches", "encode", "decode", "reconstruct", "elbo", "save"]


def test_these_are_the_public_names():
    """A name that is added or lost is a decision, not an accident; all are there, and no other."""
    assert pipeline.__all__ == sorted(NAMES.split())
    assert all(getattr(pipeline, name).__name__ == name for name in pipeline.__all__)
    assert dir(pipeline) == pipeline.__all__
    with pytest.raises(AttributeError, match="no attribute 'Model'"):
        _ = pipeline.Model


def test_the_face_imports_nothing_heavy(processes):
    """Importing the package and its settings brings neither PyTorch nor scikit-learn nor pandas."""
    code = "import sys, pipeline, pipeline.settings; print(*{'torch', 'sklearn', 'matplotlib'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == ""


def run(name: str, text: str, names: dict[str, object]) -> dict[str, object]:
    """Execute the examples of a docstring; the names that they leave."""
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    assert test.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, clear_globs=False)
    assert runner.failures == 0, name
    return test.globs


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_public_name_has_an_example_that_runs(name):
    """Errors apart, which `pipeline.errors` draws as a tree."""
    run(name, inspect.getdoc(getattr(pipeline, name)), {})


def test_the_example_of_the_package_runs():
    """The first program that a reader sees is complete."""
    assert len(run("pipeline", pipeline.__doc__, {})["rows"]) == 1000


def test_every_method_of_a_synthesizer_has_an_example_that_runs():
    """Each goes on where the example of the class ends."""
    names = run("Synthesizer", inspect.getdoc(Synthesizer), {})
    for method in METHODS:
        run(method, inspect.getdoc(getattr(Synthesizer, method)), dict(names))


def test_scripts_of_before_still_find_what_moved():
    """A module and a record that moved are importable from where they were."""
    from pipeline import tables, training  # noqa: PLC0415
    from pipeline.settings import TrainingSettings  # noqa: PLC0415

    assert tables.split is pipeline.split
    assert training.TrainingSettings is TrainingSettings


def test_public_functions_name_their_errors_and_arguments():
    """Every parameter is described, and the errors are named."""
    for name in ("compare", "decide", "evaluate", "infer", "split"):
        text = inspect.getdoc(getattr(pipeline, name))
        for parameter in inspect.signature(getattr(pipeline, name)).parameters:
            assert f"{parameter}:" in text or f"`{parameter}`" in text, (name, parameter)


FRAMES = {
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
}


@pytest.mark.parametrize("form", FRAMES)
def test_a_frame_is_all_it_takes(form, training, tmp_path):
    """Fitted with no other argument, it gives back what was given: class, columns and types, also once loaded."""
    dates = pd.date_range("2024-01-01", periods=100)
    plain = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "since": dates, "city": pd.Categorical(["Rome", "Oslo"] * 50)})
    frame = FRAMES[form](plain)
    synthesizer = Synthesizer.fit(frame)
    synthesizer.save(tmp_path / "model")
    for made in (synthesizer.sample(1000), Synthesizer.load(tmp_path / "model").sample(1000)):
        assert type(made) is type(frame)
        assert made.shape == (1000, 3)
        assert list(getattr(made, "dtypes", [])) == list(getattr(frame, "dtypes", []))
    if form == "arrow":
        assert made.schema.equals(frame.schema)


def test_only_an_index_with_a_name_is_a_column(training):
    """A frame that was filtered keeps no trace of it; a named index comes back as the index."""
    frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "city": ["Rome", "Oslo"] * 50})
    filtered = Synthesizer.fit(frame[frame["age"] > 20]).sample(10)
    assert list(filtered.columns) == ["age", "city"]
    named = Synthesizer.fit(frame.set_index("city")).sample(10)
    assert named.index.name == "city"
    assert set(named.index) <= {"Rome", "Oslo"}


def test_what_is_no_frame_is_refused_by_name():
    """A path or a list is no table."""
    with pytest.raises(pipeline.TableError, match="expected an Arrow table, a pandas DataFrame or a Polars DataFrame"):
        Synthesizer.fit([1, 2, 3])
    with pytest.raises(pipeline.TableError, match="expected a column 'age'"):
        pipeline.evaluate(pd.DataFrame({"x": [1]}), holdout=pd.DataFrame({"x": [1]}), train=pd.DataFrame({"age": [1]}))


class Customers(pd.DataFrame):
    """A frame of a class of its own, as other libraries make them."""


def test_a_frame_of_a_subclass_is_a_frame():
    """What matters is what a frame is, not how its class is called."""
    assert pipeline.infer(Customers({"age": [20, 30, 40, 50]})).names == ("age",)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2]] * 50, columns=["age", "age"]),
        pd.DataFrame([[1, 2]] * 50, columns=[1, "1"]),
        pa.table([range(50), range(50)], names=["age", "age"]),
    ],
    ids=["pandas", "alike as texts", "arrow"],
)
def test_two_columns_of_one_name_are_refused(frame):
    """The line says which name it is."""
    with pytest.raises(pipeline.TableError, match=r"^expected distinct column names, got '(age|1)' more than once$"):
        Synthesizer.fit(frame)


@pytest.mark.parametrize(
    "labels",
    [pd.Index([0, 1]), pd.MultiIndex.from_tuples([("p", "a"), ("q", "b")]), pd.Index(["a", "b"], name="field")],
    ids=["numbers", "levels", "named"],
)
def test_labels_of_columns_come_back(labels):
    """Numbers stay numbers, levels stay levels, also if the rows were filtered before."""
    frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "city": ["Rome", "Oslo"] * 50})
    filtered = frame[frame["age"] > 20].set_axis(labels, axis=1)
    made = Synthesizer.fit(filtered, training=TrainingSettings(epochs=0)).sample(5)
    assert made.columns.equals(labels)
    assert made.columns.names == labels.names
    assert made.index.equals(pd.RangeIndex(5))


def test_an_index_of_numbers_with_a_name_is_a_column():
    """A range is stored like any other index."""
    frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25}, index=pd.RangeIndex(100, name="row"))
    made = Synthesizer.fit(frame, training=TrainingSettings(epochs=0)).sample(5)
    assert made.index.name == "row"
    assert list(made.columns) == ["age"]


def test_every_frame_of_a_fit_may_have_a_form_and_columns_of_its_own():
    """Rows, validation rows and all rows are brought to the schema. A column that is left out may be missing."""
    frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "odd": [[1]] * 100})
    untrained = TrainingSettings(epochs=0)
    made = Synthesizer.fit(frame, pl.DataFrame({"age": [20, 30]}), taken=frame, training=untrained).sample(5)
    assert list(made.columns) == ["age"]
    with pytest.raises(pipeline.TableError, match=r"^expected a column 'age', got odd$"):
        Synthesizer.fit(frame[["odd"]], schema=pipeline.infer(frame), validation=frame, training=untrained)


def test_a_model_takes_later_rows_in_every_form():
    """A fitted frame's model encodes and scores frames and Arrow tables alike, and says which column is missing."""
    frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "city": ["Rome", "Oslo"] * 50})
    synthesizer = Synthesizer.fit(frame, training=TrainingSettings(epochs=0))
    forms = [form(frame) for form in FRAMES.values()]
    assert len({synthesizer.elbo(rows).elbo for rows in forms}) == 1
    assert all((synthesizer.encode(rows) == synthesizer.encode(frame)).all() for rows in forms)
    assert synthesizer.reconstruct(frame).num_rows == 100
    with pytest.raises(pipeline.TableError, match=r"^expected a column 'city', got age$"):
        synthesizer.elbo(frame[["age"]])


def test_labels_of_an_enum_that_few_rows_share_are_not_kept(tmp_path):
    """Polars lists all labels of an Enum beside the data: neither the saved schema nor the rows tell the rare one."""
    labels = ["Rome", "Oslo", "Atlantis"]
    frame = pl.DataFrame({"city": pl.Series((labels[:2] * 60)[:119] + labels[2:], dtype=pl.Enum(labels))})
    synthesizer = Synthesizer.fit(frame, training=pipeline.TrainingSettings(epochs=1))
    synthesizer.save(tmp_path / "model")
    assert b"Atlantis" not in b"".join(file.read_bytes() for file in (tmp_path / "model").iterdir())
    for each in (synthesizer, Synthesizer.load(tmp_path / "model")):
        assert b"Atlantis" not in each.schema.arrow.serialize().to_pybytes()
    assert set(synthesizer.sample(300)["city"].cast(pl.String)) == {"Rome", "Oslo"}


def test_a_column_that_is_left_out_is_warned_of():
    """`sample` gives back what was given, but for columns that cannot be modelled."""
    frame = pa.table({"age": [20, 30, 40, 50] * 10, "many": pa.array([{"a": i} for i in range(40)])})
    with pytest.warns(UserWarning, match="column 'many' is left out: "):
        made = Synthesizer.fit(frame, training=pipeline.TrainingSettings(epochs=1)).sample(5)
    assert made.column_names == ["age"]
