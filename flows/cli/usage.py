"""Wrong usage of the command, in one line: what was expected, what came, and what to do.

Cyclopts knows what is wrong with the arguments. Its errors become lines of the same form as all others, and every line
ends with the command that explains more.
"""

from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    ConsumeMultipleError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from pipeline.errors import did_you_mean

if TYPE_CHECKING:
    from cyclopts import Argument

LONGEST = 40  # characters of an argument that are repeated


def commands(app: App) -> tuple[str, ...]:
    """The names of all commands, in the order of the alphabet."""
    return tuple(sorted(name for name in app if not name.startswith("-")))


def line(app: App, error: CycloptsError) -> str:
    """What is wrong with the arguments, in one line.

    Args:
        app: The command.
        error: What it raised.
    """
    if isinstance(error, UnknownCommandError):
        return _unknown_command(app, str((error.unused_tokens or [""])[0]))
    verb = " ".join(error.command_chain or ())
    return f"{verb}: {_problem(error)} (see: resynth {verb} --help)" if verb else _problem(error)


def _unknown_command(app: App, given: str) -> str:
    known = commands(app)
    if given.startswith("-"):
        return f"expected a command before any option, got {_short(given)} (commands: {', '.join(known)})"
    if given == "help":
        return "expected a command, got 'help' (see: resynth --help, or resynth COMMAND --help)"
    return f"expected a command, got {_short(given)}{did_you_mean(given, known)} (commands: {', '.join(known)})"


def _problem(error: CycloptsError) -> str:
    """What is wrong with the arguments of a verb."""
    name = _name(error.argument) if error.argument is not None else ""
    if isinstance(error, UnknownOptionError):
        given = str(error.token.keyword or error.token.value).partition("=")[0]
        options = [each for known in error.argument_collection if known.parse for each in known.names]
        return f"expected one of its options, got {_short(given)}{did_you_mean(given, options)}"
    if isinstance(error, MissingArgumentError) and not isinstance(error, ConsumeMultipleError):
        option = _keyword(error)
        return f"expected a value after {option}, got none" if option else f"expected {name}, got none"
    if isinstance(error, UnusedCliTokensError):
        more = error.unused_tokens or []
        return f"expected fewer arguments, got {_short(more[0])} too{_advice(more)}"
    if isinstance(error, RepeatArgumentError):
        return f"expected {error.token.keyword or name} once, got it twice"
    if isinstance(error, CoercionError) and error.msg is not None:
        return f"{name}: {error.msg}" if name else str(error.msg)
    return str(error).strip().rstrip(".")


def _keyword(error: MissingArgumentError) -> str | None:
    """The option after which a value is missing, if the option was given."""
    given = [error.keyword] if error.keyword is not None else []
    tokens = error.argument.tokens if error.argument is not None else ()
    given += [token.keyword for token in tokens if token.keyword is not None]
    return given[-1] if given else None


def _name(argument: "Argument") -> str:
    """An argument as the help shows it: DATA if it needs no option, else --rows."""
    return argument.name.lstrip("-").upper() if argument.field_info.is_positional else argument.name


def _advice(more: list[str]) -> str:
    """What to do about arguments that are too many: often a shell has replaced a pattern by the files it matches."""
    files = [each for each in more if "." in each.rpartition("/")[2]]
    return "; put a pattern in quotes, or name the directory" if files else ""


def _short(given: str) -> str:
    return repr(given[:LONGEST])
