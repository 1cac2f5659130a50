"""Checks of the saved arrays of a column, for codecs that share their forms.

Arrays that pass cannot make a generated value leave its column's type, or an index leave its array.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.domain import Domain, Grid
from pipeline.checks import expect, rising, vector

Arrays = Mapping[str, NDArray[Any]]
_PLACES = {"float": 9, "int": 0}


def alphabet(arrays: Arrays, values: int) -> None:
    """Check `starts` and `cells` of an alphabet of `values` values."""
    starts = vector(arrays, "starts", np.int64, least=0, below=max(values, 1))
    rising("starts", starts, strictly=True)
    expect((len(starts) > 0) == (values > 0), "leaves where there are values, and only there")
    expect(not len(starts) or starts[0] == 0, "the first leaf to begin with the first value")
    cells(arrays, len(starts))


def cells(arrays: Arrays, leaves: int) -> None:
    """Check the `cells` of `leaves` leaves: 0, 0, 1, 1, 1, 2 and so on."""
    found = vector(arrays, "cells", np.int64, length=leaves, least=0, below=max(leaves, 1))
    expect(not leaves or (found[0] == 0 and bool((np.diff(found) <= 1).all())), "cells numbered without gaps")
    rising("cells", found, strictly=False)


def domain_fits(domain: Domain, least: float, greatest: float, arrow: pa.DataType) -> None:
    """Check that the positions from `least` to `greatest` are values of type `arrow`."""
    floating = bool(pa.types.is_floating(arrow))
    if not isinstance(domain, Grid):
        expect(floating, "a column of floats")
        bound = float(np.finfo(arrow.to_pandas_dtype()).max)
        expect(-bound <= least and greatest <= bound, f"values of type {arrow}")
        return
    decimal = bool(pa.types.is_decimal(arrow))
    expect(
        domain.places == arrow.scale if decimal else 0 <= domain.places <= _PLACES["float" if floating else "int"],
        "as many decimal places as the type has",
    )
    first, last = (domain.base + int(position) * domain.step for position in (least, greatest))
    low, high = limits(arrow, domain.places)
    expect(low <= first and last <= high, f"values of type {arrow}")


def limits(arrow: pa.DataType, places: int = 0) -> tuple[int, int]:
    """The least and the greatest value of a type of numbers or times, in units of 10^−places."""
    if pa.types.is_floating(arrow):
        bound = int(float(np.finfo(arrow.to_pandas_dtype()).max)) * 10**places
        return -bound, bound
    if pa.types.is_decimal(arrow):
        return 1 - 10**arrow.precision, 10**arrow.precision - 1
    if pa.types.is_unsigned_integer(arrow):
        return 0, 2**arrow.bit_width - 1
    return -(2 ** (arrow.bit_width - 1)), 2 ** (arrow.bit_width - 1) - 1
