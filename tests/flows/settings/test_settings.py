"""Settings files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small import table, write

from flows.settings import Settings, name_of
from pipeline.errors import SettingsError
from pipeline.schema import ColumnSettings


def test_a_home_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    """Nothing has to be configured."""
    assert Settings.load(tmp_path) == Settings()


def test_the_file_in_the_home_is_read(tmp_path: Path) -> None:
    """`resynth.toml` in the home needs no option."""
    (tmp_path / "resynth.toml").write_text('seed = 7\n[split]\nholdout = 0.2\n[columns.age]\nkind = "categorical"\n')
    settings = Settings.load(tmp_path)
    assert (settings.seed, settings.split.holdout) == (7, 0.2)
    assert settings.columns["age"].kind == "categorical"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"columns": {"colour": {"kind": "categorical"}}}, "columns.colour"),
        ({"evaluation": {"target": "colour"}}, "evaluation.target"),
        ({"incoming": {"time": "colour"}}, "incoming.time"),
        ({"drift": {"ignore": ["value", "colour"]}}, "drift.ignore"),
    ],
)
def test_a_column_that_no_file_has_is_told(tmp_path: Path, given: dict[str, object], key: str) -> None:
    """One file with the column is enough, wherever it is. A damaged file says nothing about the settings."""
    settings = Settings.model_validate(given)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    settings.check([tmp_path / "broken.parquet"])
    write(tmp_path, "a", 20)
    found = [tmp_path / "broken.parquet", tmp_path / "a.parquet"]
    with pytest.raises(SettingsError, match=rf"{key}: expected a column of .*a.parquet \(value, group, .*got 'colour'"):
        settings.check(found)
    pq.write_table(table(20).append_column("colour", pa.array(["red"] * 20)), tmp_path / "z.parquet")
    settings.check([*found, tmp_path / "z.parquet"])


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    """Given values replace those of the file. Values that are not given do not."""
    (tmp_path / "resynth.toml").write_text('seed = 7\nname = "filed"\n')
    settings = Settings.load(tmp_path, seed=0, name=None)
    assert (settings.seed, settings.name) == (0, "filed")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sed = 1", "unknown key 'sed'"),
        ("[training]\nepoch = 1", "unknown key 'training.epoch'"),
        ("[columns.age]\nsort = 'numeric'", "unknown key 'columns.age.sort'"),
        ("seed = 'seven'", "seed in "),
        ("seed = -1", "got -1"),
        ("rows = 0", "rows in "),
        ("name = 'a/b'", "name in "),
        ("[split]\nholdout = 0.9", "split.holdout in "),
        ("[training]\nepochs = 'many'", "training.epochs in "),
        ("seed = ", "expected TOML in "),
        (f"seed = {'9' * 5000}", "expected TOML in "),
        (f"rows = {10**30}", "rows in "),
        ("[training]\ntime_limit = inf", "training.time_limit in "),
        ("[training]\nrate = nan", "training.rate in "),
        ("[training]\nepochs = 1000000000", "training.epochs in "),
        ("[model]\nlatent = 1000000000", "model.latent in "),
        ("data = 5", "data in "),
        ("[schedule]\nretrain = '99999999999d'", "schedule.retrain in "),
        ("[schedule]\ndrift = 'now and then'", "schedule.drift in "),
        (f"a = {'[' * 5000}{']' * 5000}", "expected TOML in "),
        (f"{'.'.join('a' * 50)} = 1", "sections in one another"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_key_and_file(tmp_path: Path, text: str, expected: str) -> None:
    """Unknown keys and wrong types are refused, never ignored."""
    file = tmp_path / "other.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Settings.load(tmp_path, file)
    message = str(caught.value)
    assert expected in message
    assert str(file) in message
    assert "\n" not in message


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A missing default file is fine, a missing named one is not."""
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        Settings.load(tmp_path, tmp_path / "missing.toml")


def test_a_wrong_option_is_blamed_on_the_command_line(tmp_path: Path) -> None:
    """The message says that the value came from the command line."""
    with pytest.raises(SettingsError, match=r"rows in the command line.*got 0"):
        Settings.load(tmp_path, rows=0)


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/adult_train.parquet", "adult_train"), ("a/daily sales!.parquet", "daily_sales_"), ("a/_.parquet", "table")],
)
def test_names_come_from_files(path: str, name: str) -> None:
    """A file's name becomes a name that is fit for a model and a directory."""
    assert name_of(Path(path)) == name


def test_another_fake_is_another_rule_of_what_is_shown() -> None:
    """Versions made under another choice of made-up values are marked; a form of numbers is no such choice."""
    chosen = [{}, {"normalization": "zscore"}, {"fake": "job"}, {"fake": "job", "locale": "de_DE"}, {"fake": "email"}]
    rules = [Settings(columns={"contact": ColumnSettings(**own)}).shown for own in chosen]
    assert rules[0] == rules[1]
    assert len(set(rules)) == 4


TABLES = """
seed = 4
[training]
epochs = 3
rate = 0.01
[schedule]
retrain = "0 3 * * *"
[tables.customers]
data = "in/customers"
[tables.orders]
data = "in/orders"
seed = 5
training.epochs = 9
schedule.drift = "1h"
incoming = {}
"""


def test_several_tables_share_settings_and_override_them(tmp_path: Path) -> None:
    """A table's sections are laid over those of the file, key by key."""
    (tmp_path / "resynth.toml").write_text(TABLES)
    tables = Settings.tables(tmp_path)
    assert list(tables) == ["customers", "orders"]
    customers, orders = tables.values()
    assert (customers.seed, customers.training.epochs, customers.schedule.drift) == (4, 3, None)
    assert (orders.seed, orders.training.epochs, orders.training.rate) == (5, 9, 0.01)
    assert (orders.schedule.retrain, orders.schedule.drift) == ("0 3 * * *", "1h")
    assert customers.incoming is None
    assert orders.incoming is not None
    assert Settings.load(tmp_path, name="orders") == orders
    assert Settings.load(tmp_path, name="other").seed == 4


def test_a_file_about_one_table_needs_no_section(tmp_path: Path) -> None:
    """`data` at the top is enough; the name is the setting's or that of the data."""
    (tmp_path / "resynth.toml").write_text('data = "in/daily sales"\n')
    assert list(Settings.tables(tmp_path)) == ["daily_sales"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected data in"),
        ("[tables.a]\nseed = 1", "expected tables.a.data in"),
        ("tables = 3", r"expected sections \[tables.NAME\]"),
        ("[tables]\na = 1", r"expected sections \[tables.NAME\]"),
        ('[tables.a]\ndata = "x"\nsed = 1', "unknown key 'sed'"),
        ('data = "x"\n[schedule]\ntimezone = "Mars/Olympus"', "schedule.timezone in .* IANA name"),
        ('data = "x"\n[notify]\nwebhook = "secret"', "notify.webhook in .* got an address"),
        ('data = "x"\n[notify]\nwebhook = "http://[::1/secret"', "notify.webhook in .* got an address"),
        ('data = "x"\n[incoming]\nlast_days = 3', "incoming in .* time column in 'time' for last_days"),
    ],
)
def test_wrong_tables_are_one_line(tmp_path: Path, text: str, expected: str) -> None:
    """The line has the key, the expectation and the file, as for all settings."""
    (tmp_path / "resynth.toml").write_text(text)
    with pytest.raises(SettingsError, match=expected) as caught:
        Settings.tables(tmp_path)
    assert "secret" not in str(caught.value)


def test_a_device_that_this_machine_has_not_is_told_before_anything_starts(tmp_path: Path) -> None:
    """No machine has a hundredth GPU. Options of `run` and `serve` are checked first."""
    write(tmp_path)
    (tmp_path / "resynth.toml").write_text('data = "data.parquet"\n[training]\ndevice = "cuda:99"\n')
    settings = Settings.load(tmp_path)
    with pytest.raises(SettingsError, match=r"training\.device: expected a device of this machine .* got 'cuda:99'"):
        settings.check_source(tmp_path)
    assert not (tmp_path / "mlruns").exists()
