"""Read a TOML file of settings, say in one line what is wrong with it, and write settings as TOML."""

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.errors import SettingsError, did_you_mean

DEEPEST = 8  # levels of nested sections
LARGEST = 2**20  # bytes of a settings file


def read(file: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        SettingsError: It is missing, too large or no TOML.
    """
    try:
        if not file.exists():
            raise SettingsError(
                f"settings: expected a settings file at {file!s:.200}, found none; "
                "`resynth inspect DATA --write` makes one"
            )
        if not file.is_file() or file.stat().st_size > LARGEST:
            raise SettingsError(f"settings: expected a TOML file of at most {LARGEST:,} bytes at {file!s:.200}")
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings: expected a TOML file at {file!s:.200}, {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # such as numbers of thousands of digits
        raise SettingsError(f"settings: expected TOML in {file}, {error}") from error


def written(values: Mapping[str, Any]) -> str:
    """Settings as TOML. What is None is left out.

    Args:
        values: Values that JSON can hold. Lists hold no mappings.
    """
    return "\n".join(_section(values, ())).strip()


def tables(given: object, file: Path) -> Mapping[str, dict[str, Any]]:
    """What the section `[tables]` of a file says, by the name of the table.

    Raises:
        SettingsError: It holds something else than sections.
    """
    if isinstance(given, dict) and all(isinstance(table, dict) for table in given.values()):
        return given
    raise SettingsError(f"settings: expected sections [tables.NAME] in {file}, got another kind of 'tables'")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, section by section."""
    both = {
        key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in over.items()
    }
    return {**base, **both}


def refuse_odd(values: Mapping[str, object], where: str) -> None:
    """Refuse numbers that no setting can have, and sections that are nested too deeply.

    Raises:
        SettingsError: The values hold such a number or section.
    """
    waiting: list[tuple[tuple[str, ...], object]] = [((), values)]
    while waiting:
        keys, value = waiting.pop()
        problem = None
        if isinstance(value, Mapping):
            waiting += [((*keys, str(key)), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*keys, str(i)), inner) for i, inner in enumerate(value)]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            problem = "a whole number of at most 64 bits"
        elif isinstance(value, float) and not math.isfinite(value):
            problem = "a finite number"
        if len(keys) > DEEPEST:
            problem = f"at most {DEEPEST} sections in one another"
        if problem is not None:
            raise SettingsError(f"settings: {_key(keys)} in {where}: expected {problem}, got another")


def line(model: type[BaseModel], error: ValidationError, file: Path, chosen: Mapping[str, object]) -> str:
    """The first problem in one line: key, file, what was expected and what came.

    Args:
        model: The record that the values should be.
        error: What is wrong with them.
        file: The settings file.
        chosen: Values of the command line.
    """
    problem = error.errors(include_url=False)[0]
    key = _key(problem["loc"])
    where = "the command line" if problem["loc"] and problem["loc"][0] in chosen else str(file)
    if problem["type"] == "extra_forbidden":
        return f"settings: unknown key '{key}' in {where}{_near(model, problem['loc'])}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    came = problem["input"]
    secret = "webhook" in problem["loc"]
    shown = (
        "an address" if secret else repr(came) if isinstance(came, bool | int | float | str) else type(came).__name__
    )
    message = problem["msg"].removeprefix("Value error, ")
    return f"settings: {key} in {where}: {message}; got {shown:.80}{more}"


def _near(model: type[BaseModel], parts: Sequence[object]) -> str:
    """The known key that is most like an unknown one, if one is; see `did_you_mean`."""
    for part in parts[:-1]:
        field = model.model_fields.get(str(part))
        kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        model = inner[0] if inner else model
    return did_you_mean(str(parts[-1]), model.model_fields)


def _key(parts: Sequence[object]) -> str:
    """A dotted key as one short line of ASCII."""
    return ascii(".".join(str(part) for part in parts))[1:-1][:100]


def _section(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a section, and of the sections in it."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping) and value is not None}
    if path and plain:
        yield from ("", f"[{'.'.join(map(_bare, path))}]")
    yield from (f"{_bare(key)} = {_value(value)}" for key, value in plain.items())
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _section(value, (*path, key))


def _value(value: object) -> str:
    """A value. Texts, numbers and lists of JSON are those of TOML, but for a character and for what is no number."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _bare(key: str) -> str:
    """A key, in quotes if it needs them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)
