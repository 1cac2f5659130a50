"""Which columns identify people, judged by a sample of their values and by their name.

Some values are clear by themselves, such as an e-mail address or an account number with check digits. Others are clear
only together with the column's name: ten digits may be anything. So each shape requires a smaller share of fitting
values if the name agrees. The name alone is never enough: five labels in a column `name` are no persons.
"""

from dataclasses import replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.personal.codes import CodeShape
from pipeline.personal.judges import JUDGES
from pipeline.personal.names import Hint, Shape, hint
from pipeline.personal.pools import Language
from pipeline.personal.samples import Opinion, Sample
from pipeline.records import Record

_SAMPLED, _JUDGED = 40_000, 300
_NOTHING = (
    "",
    "-",
    "--",
    "?",
    ".",
    "n/a",
    "na",
    "none",
    "null",
    "nan",
    "unknown",
    "unbekannt",
    "keine",
    "k.a.",
    "inconnu",
)


class Recognition(Record):
    """What a column holds.

    Attributes:
        shape: What the values are.
        reason: Why they were recognised, for people.
        language: The language of names, addresses and texts.
        check: Name of the check characters of the values (`pipeline.personal.checksums`); empty for none.
        usual: Whether made-up values have the usual format of the shape, because the real ones are of another shape.
    """

    shape: Shape
    reason: str
    language: Language = "en"
    check: str = ""
    usual: bool = False


def recognise(name: str, values: pa.Array) -> Recognition | None:
    """Recognise the personal data of a column; None if it holds none.

    Args:
        name: The column's name.
        values: The values without nulls: strings, or integers (telephone, card and identity numbers).
    """
    sample = _sample(name, values)
    found = _judged(sample)
    if found is None:
        return None
    return Recognition(
        shape=found.shape, reason=found.reason, language=found.language or sample.language, check=found.check
    )


def recognise_as(name: str, values: pa.Array, shape: Shape, language: Language | None) -> Recognition:
    """Recognise a column whose made-up values are to have a certain shape.

    Made-up values have the format of the real ones if these would be recognised under a name that says the shape, and
    are not recognised as another shape under their own name. Codes are no other shape: a code may be a phone number.

    Args:
        name: The column's name.
        values: The values without nulls: strings, or integers.
        shape: The shape of made-up values.
        language: Their language. None for the language of the values.
    """
    sample = _sample(name, values)
    found, told = _judged(sample), _judged(replace(sample, hint=Hint(shape, language)))
    codes = ("code",) if shape in get_args(CodeShape) else ()
    agrees = told is not None and told.shape == shape and (found is None or found.shape in (shape, *codes))
    judged = told.language if told is not None and agrees else None
    return Recognition(
        shape=shape,
        reason="the settings say so",
        language=language or judged or (sample.language if sample.texts else "en"),
        check=told.check if told is not None and agrees else "",
        usual=not agrees and shape != "code",
    )


def _judged(sample: Sample) -> Opinion | None:
    """The opinion of the first judge that finds its shape. None if there is none, or no value."""
    return next(filter(None, (judge(sample) for judge in JUDGES if sample.texts)), None)


def _sample(name: str, values: pa.Array) -> Sample:
    """A sample of distinct values, from evenly spaced rows."""
    places = np.linspace(0, max(len(values) - 1, 0), min(len(values), _SAMPLED)).astype(np.int64)
    taken = values.take(pa.array(places))
    integers = bool(pa.types.is_integer(taken.type))
    texts = pc.utf8_trim_whitespace(taken.cast(pa.string()))
    texts = texts.filter(pc.invert(pc.is_in(pc.utf8_lower(texts), value_set=pa.array(_NOTHING))))
    distinct = texts.unique()
    judged = distinct.take(pa.array(np.linspace(0, max(len(distinct) - 1, 0), min(len(distinct), _JUDGED)).astype(int)))
    return Sample(judged.to_pylist(), len(distinct), len(texts), hint(name), integers=integers)
