"""What all verbs share: the command they belong to, their common options and the form of their answers."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from importlib import metadata
from inspect import signature
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, ParamSpec

from cyclopts import App, Parameter
from rich.console import Console

from flows.engine import disk
from flows.telling import progress
from pipeline.progress import Progress, Tick

if TYPE_CHECKING:
    from cyclopts import Token

    from flows.settings import Settings

STOPPED = Event()
"""Set by a signal to stop. Its exception may be lost, for instance while a module is imported."""
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


def _wholes(kind: type, tokens: "Sequence[Token]") -> tuple[int, ...]:
    """Parse several whole numbers."""
    return tuple(_whole(kind, [token]) for token in tokens)


WHOLE, WHOLES = Parameter(converter=_whole), Parameter(converter=_wholes, negative="")
Written = Literal["parquet", "csv", "feather", "duckdb"]
"""The formats of exports, as in `pipeline.data.formats`, which is not imported before a verb runs."""
COLUMNS = Parameter(negative="")
Shown = Annotated[Progress, Parameter(parse=False)]
"""The listener that a verb is given, and no option."""


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
class Answering:
    """The option of every verb, and the home, which scripts may name even where it does not matter.

    Parameters
    ----------
    json
        Print one JSON object as the last line of standard output.
    home
        Not used.
    """

    json: Annotated[bool, Parameter(negative="")] = False
    home: Annotated[Path, Parameter(show=False)] = Path()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AtHome(Answering):
    """Options of verbs that work in a home.

    Parameters
    ----------
    home
        Directory of data/, mlruns/ and Prefect's state.
    """

    home: Annotated[Path, Parameter(show=True)] = Path()

    def embed(self) -> Path:
        """Embed Prefect and MLflow in the home, or reach the servers that the environment names."""
        from flows.engine import homes

        homes.embed(self.home)
        homes.reach()
        return self.home.resolve()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Configured(AtHome):
    """Options of verbs that read settings.

    Parameters
    ----------
    config
        Settings file; default: resynth.toml in the home, if there is one.
    """

    config: Path | None = None

    def settings(self, **given: object) -> "Settings":
        """The settings of the file, overridden by the values given."""
        from flows.engine import homes

        with homes.importing():
            from flows.settings import Settings

        return Settings.load(self.home, self.config, **given)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Seeded(Configured):
    """Options of verbs in which chance plays a part.

    Parameters
    ----------
    seed
        Seed of the training, the evaluation and the generated rows.
    """

    seed: Annotated[int | None, WHOLE] = None

    def settings(self, **given: object) -> "Settings":
        """The settings of the file, overridden by the seed and the values given."""
        return super().settings(seed=self.seed, **given)


ANSWERING, AT_HOME, CONFIGURED, SEEDED = Answering(), AtHome(), Configured(), Seeded()


def verb(function: Callable[P, Reply]) -> Callable[P, Reply]:
    """Make a function a verb of the command.

    A verb that takes `progress` is shown from its first moment on. A failure that a full disk caused says so.
    """
    shows = "progress" in signature(function).parameters

    @wraps(function)
    def told(*arguments: P.args, **named: P.kwargs) -> Reply:
        given = [*arguments, *named.values()]
        homes = [each.home for each in given if isinstance(each, Answering)] or [Path()]
        with ExitStack() as opened:
            opened.enter_context(disk.needed(*homes, *(each for each in given if isinstance(each, Path))))
            if shows:
                listener = opened.enter_context(progress.shown(Console(stderr=True)))
                listener(Tick("start", 0, 1))
                named["progress"] = listener
            return function(*arguments, **named)

    app.command(told)
    return told


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
