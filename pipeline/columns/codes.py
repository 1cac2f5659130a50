"""Codes: whole numbers that name things, such as zip codes, branches and product numbers.

A code is a label. Nothing lies between two codes, and sums of codes mean nothing. What tells codes from quantities is
how the values sit:

- values repeat, so there are far fewer values than rows;
- they leave most of their range empty, irregularly, and also right beside values that occur often. A quantity that
  often takes a value nearly as often takes its neighbours;
- they are positive, and nearly all have the same number of digits, or one fewer (a leading zero that was lost);
- they do not prefer round numbers or one last digit, as amounts and prices do.

A name is evidence too. Beside a name such as "branch", repeats and empty neighbours are enough, and beside one that
means nothing else, such as "zip" or "branch_code", repeats.

Codes are categories in the order of their numbers. So rare ones share a symbol with codes that begin with the same
digits, which often name things of the same sort or place.
"""

import re
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.arrow.arrays import Array, combined, numbers
from pipeline.arrow.domain import Grid, domain_of, is_number, valid
from pipeline.columns.categorical import Categorical

FEWEST_ROWS = 100
FEWEST_VALUES = 10
"""Fewer values say nothing about how values sit."""
REPEATED = 3
"""Rows of a value whose neighbours are looked at: by chance, a quantity leaves a neighbour of it empty in 5 %."""
MOST_DISTINCT = 0.5
"""Most different values, as a share of the rows."""
FULLEST = 0.5
"""Most values, as a share of the places between the least and the greatest."""
ALONE = 0.6
"""Least share of often repeated values whose two neighbours are both empty."""
ONE_LENGTH = 0.95
"""Least share of values with one number of digits, or one fewer."""
ONE_DIGIT = 0.2
"""Largest share of values that end with the same digit, besides three standard errors: a tenth by chance."""
REGULAR = 0.4
"""Share of gaps near the median gap that tells a scale with large steps: .17 if values sit at random."""
SURE = re.compile(
    r"(?i:zip|postal|postcode|post_code|plz|fips|naics|gtin)"
    r"|(?<![a-zA-Z])(?i:icd|sku|ean|upc|blz|bic|code|codes|cd)(?![a-z])|(?<=[a-z])Code(?![a-z])"
)
"""Names that codes have, and nothing else."""
NAMED = re.compile(
    r"(?<![a-z])(?i:branch|store|depot|plant|station|article|product|item|material|tariff|area)(?![a-z])"
)
"""Names of things, which may be counts and sizes too."""

Ints = NDArray[np.int64]


class NumberCode(Categorical):
    """The kind of columns of numbers that name things."""

    kind: ClassVar[str] = "code"

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Integers, floats, decimals."""
        return is_number(arrow)

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:  # noqa: ARG003
        """Claim numbers that sit as codes do."""
        return recognised(array, name)

    @classmethod
    def _ordered(cls, values: pa.Array, counts: Ints, arrow: pa.DataType) -> Ints:
        """The order of labels: by number."""
        del counts
        return np.argsort(numbers(labels.values(values, arrow)), kind="stable")


def recognised(array: Array, name: str) -> str | None:
    """Why the numbers of a column are codes, in words. None if they are quantities."""
    found = _whole(combined(array)) if is_number(array.type) else None
    if found is None or len(found) < FEWEST_ROWS:
        return None
    values, counts = np.unique(found, return_counts=True)
    if not _repeated(values, counts):
        return None
    if SURE.search(name) is not None:
        return f"so the name says, and {len(values)} values repeat"
    named = NAMED.search(name) is not None
    if not _apart(values, counts) or not (named or _plain(values, counts)):
        return None
    said = "so the name says, and " if named else ""
    return f"{said}{len(values)} values repeat, fill {_full(values):.1%} of their range and have no neighbours"


def _repeated(values: Ints, counts: Ints) -> bool:
    """Whether there are several values, none of which is negative, and most rows share theirs with others."""
    enough = len(values) >= FEWEST_VALUES and values[0] >= 0 and bool((counts >= REPEATED).any())
    return enough and len(values) <= MOST_DISTINCT * counts.sum()


def _apart(values: Ints, counts: Ints) -> bool:
    """Whether values leave their range and the places beside them empty."""
    often = counts >= REPEATED
    step = np.gcd.reduce(np.diff(values))
    near = np.diff(values) == step
    beside = np.append(near, False) | np.append(False, near)
    return bool(_full(values) <= FULLEST and (~beside)[often].mean() >= ALONE)


def _plain(values: Ints, counts: Ints) -> bool:
    """Whether values have one length, sit irregularly and end with any digit."""
    gaps = np.diff(values)
    return bool(
        values[0] > 0
        and _one_length(values)
        and (np.abs(gaps / np.median(gaps) - 1) <= 0.25).mean() < REGULAR  # noqa: PLR2004
        and not _rounded(values[counts >= REPEATED] // _zeros(np.gcd.reduce(gaps)))
    )


def _full(values: Ints) -> float:
    """Values as a share of the places between the least and the greatest."""
    return float(len(values) / ((values[-1] - values[0]) // np.gcd.reduce(np.diff(values)) + 1))


def _whole(array: pa.Array) -> Ints | None:
    """The values that are present, as whole numbers. None if they are not whole, or too large."""
    present = array.filter(pa.array(valid(array)))
    if not len(present):
        return None
    domain = domain_of(present)
    if not isinstance(domain, Grid) or domain.places or abs(domain.base) >= 2**62:
        return None
    positions = domain.positions(present)
    if int(positions.max()) * domain.step >= 2**62:
        return None
    return np.asarray(domain.base + positions.astype(np.int64) * domain.step)


def _one_length(values: Ints) -> bool:
    """Whether nearly all values have one number of digits, or one fewer."""
    lengths = np.bincount(np.floor(np.log10(values)).astype(int))
    both = lengths + np.append(0, lengths[:-1])
    return bool(both.max() >= ONE_LENGTH * len(values))


def _rounded(values: Ints) -> bool:
    """Whether values prefer one last digit, as round amounts (0) and prices (9) do."""
    share = np.bincount(values % 10, minlength=10).max() / len(values)
    return bool(share > ONE_DIGIT + 3 * np.sqrt(0.09 / len(values)))


def _zeros(step: int) -> int:
    """The power of ten that divides every step, so that zeros that all values share are no preference."""
    power = 1
    while step % (10 * power) == 0:
        power *= 10
    return power
