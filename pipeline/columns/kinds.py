"""All kinds of column, the most particular first."""

from typing import Any

from pipeline.columns.base import Codec
from pipeline.columns.blank import Blank
from pipeline.columns.categorical import Categorical
from pipeline.columns.codes import NumberCode
from pipeline.columns.datetime import Datetime
from pipeline.columns.identifier import Identifier
from pipeline.columns.numeric import Numeric
from pipeline.columns.text import Text
from pipeline.errors import SettingsError
from pipeline.measures import Measure

KINDS: dict[str, type[Codec]] = {
    kind.kind: kind for kind in (Text, Identifier, Datetime, Categorical, NumberCode, Numeric, Blank)
}
DROP = "drop"
"""The kind in the settings of a column that is left out."""


def is_modelled(kind: str) -> bool:
    """Whether columns of a kind are modelled. Of others no real value is shown."""
    return KINDS[kind].way == "modelled"


def register(kind: type[Codec]) -> None:
    """Add a kind before all others, so that it is asked first whether it claims a column.

    Raises:
        SettingsError: Another kind has this name.
    """
    if KINDS.get(kind.kind, kind) is not kind or kind.kind == DROP:
        raise SettingsError(f"expected a kind of a new name, got another {kind.kind!r}")
    others = {name: other for name, other in KINDS.items() if other is not kind}
    KINDS.clear()
    KINDS.update({kind.kind: kind, **others})


def measure(kind: str) -> Measure[Any] | None:
    """How columns of a kind are compared. None if they are not compared."""
    return KINDS[kind].measure
