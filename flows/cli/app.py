"""What all verbs share: the command they belong to, their common options and the form of their answers."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, ParamSpec

from cyclopts import App, Parameter
from rich.console import Console

from flows.engine import disk

if TYPE_CHECKING:
    from cyclopts import Token

    from flows.settings import Settings

DONE, FAILED, BAD_INPUT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

P = ParamSpec("P")

app = App(
    name="resynth",
    help="Keep synthetic data fresh: drift-checked, evaluated, versioned synthetic twins of tables.",
    help_epilogue="Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 the check said no.",
    version=lambda: metadata.version("resynth"),
    help_format="plaintext",
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
)


def _whole(_: type, tokens: "Sequence[Token]") -> int:
    """Parse a whole number. A fraction is refused, not rounded."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"expected a whole number, got {tokens[0].value!r:.40}") from None


WHOLE = Parameter(converter=_whole)
Written = Literal["parquet", "csv", "feather", "duckdb"]
"""The formats of exports, as in `pipeline.data.formats`, which is not imported before a verb runs."""
COLUMNS = Parameter(negative="")


class Reply(NamedTuple):
    """The answer of a verb.

    Attributes:
        answer: One JSON object, for programs.
        show: Prints the same for people.
        code: The exit code.
    """

    answer: dict[str, Any]
    show: Callable[[Console], None]
    code: int = DONE


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every verb.

    Parameters
    ----------
    home
        Directory of data/, mlruns/ and Prefect's state.
    config
        Settings file; default: resynth.toml in the home, if there is one.
    seed
        Seed of the training, the evaluation and the generated rows.
    json
        Print one JSON object as the last line of standard output.
    """

    home: Path = Path()
    config: Path | None = None
    seed: Annotated[int | None, WHOLE] = None
    json: Annotated[bool, Parameter(negative="")] = False

    def settings(self, **given: object) -> "Settings":
        """The settings of the file, overridden by the values given."""
        from flows.settings import Settings

        return Settings.load(self.home, self.config, seed=self.seed, **given)

    def embed(self) -> Path:
        """Embed Prefect and MLflow in the home, or reach the servers that the environment names."""
        from flows.engine import homes

        homes.embed(self.home)
        homes.reach()
        return self.home.resolve()


DEFAULTS = Common()


def verb(function: Callable[P, Reply]) -> Callable[P, Reply]:
    """Make a function a verb of the command. A failure that a full disk caused says so."""

    @wraps(function)
    def told(*arguments: P.args, **named: P.kwargs) -> Reply:
        given = [*arguments, *named.values()]
        common = next((each for each in given if isinstance(each, Common)), DEFAULTS)
        with disk.needed(common.home, *(each for each in given if isinstance(each, Path))):
            return function(*arguments, **named)

    app.command(told)
    return told


def errors() -> Console:
    """The console for progress: standard error."""
    return Console(stderr=True)


def lines(*lines: str) -> Callable[[Console], None]:
    """A `show` that prints these lines."""
    return lambda console: console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)


def both(*shows: Callable[[Console], None]) -> Callable[[Console], None]:
    """A `show` that prints one thing after the other."""

    def show(console: Console) -> None:
        for each in shows:
            each(console)

    return show


def model_of(reference: str) -> str:
    """The model's name in NAME, NAME@alias or NAME/version."""
    return reference.partition("@")[0].partition("/")[0]
