"""What saved arrays of a column must be, for the codecs that share their forms to load them.

Nothing that passes can make a generated value leave its column's type, or an index its array.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.domain import Domain, Grid
from pipeline.checks import exactly, expect, rising, vector

Arrays = Mapping[str, NDArray[Any]]
_PLACES = {"float": 9, "int": 0}


def alphabet(arrays: Arrays, values: int) -> None:
    """Check `starts` and `cells` of an alphabet of so many values."""
    starts = vector(arrays, "starts", np.int64, least=0, below=max(values, 1))
    rising("starts", starts, strictly=True)
    expect((len(starts) > 0) == (values > 0), "leaves where there are values, and only there")
    expect(not len(starts) or starts[0] == 0, "the first leaf to begin with the first value")
    cells(arrays, len(starts))


def cells(arrays: Arrays, leaves: int) -> None:
    """Check the `cells` of so many leaves: 0, 0, 1, 1, 1, 2 and so on."""
    found = vector(arrays, "cells", np.int64, length=leaves, least=0, below=max(leaves, 1))
    expect(not leaves or (found[0] == 0 and bool((np.diff(found) <= 1).all())), "cells numbered without gaps")
    rising("cells", found, strictly=False)


def numbers(domain: Domain, form: str, arrays: Arrays, arrow: pa.DataType) -> None:
    """Check the arrays of a normal form of numbers, see `Numbers`, whose values are of type `arrow`."""
    positions = np.uint64 if isinstance(domain, Grid) else np.float64
    ends = vector(arrays, "ends", positions)
    expect(len(ends) in {0, 2}, "two ends, or none")
    rising("ends", ends, strictly=False)
    if form == "tokens":
        exactly(arrays, ("ends", "low", "high", "cells", "rows"))
        _tokens(arrays, positions)
        used = np.concatenate([ends, arrays["low"], arrays["high"]])
    else:
        exactly(arrays, ("ends", "low", "high", *(("knots", "scores") if form == "quantile" else ("shift", "scale"))))
        _real(arrays, form)
        used = ends
    expect(len(arrays["low"]) == 0 if not len(ends) else len(arrays["low"]) > 0, "ends where there are values")
    if len(used):
        domain_fits(domain, used.min().item(), used.max().item(), arrow)


def _tokens(arrays: Arrays, positions: type[np.generic]) -> None:
    low = vector(arrays, "low", positions)
    high = vector(arrays, "high", positions, length=len(low))
    rising("low", low, strictly=True)
    expect(bool((low <= high).all() and (high[:-1] < low[1:]).all()), "leaves that do not overlap")
    vector(arrays, "rows", np.int64, length=len(low), least=1, below=2**53)
    cells(arrays, len(low))


def _real(arrays: Arrays, form: str) -> None:
    low = vector(arrays, "low", np.float64)
    expect(len(low) <= 1, "at most one least value")
    high = vector(arrays, "high", np.float64, length=len(low))
    expect(bool((low <= high).all()), "a least value that is no greater than the greatest")
    if form == "quantile":
        knots = vector(arrays, "knots", np.float64)
        expect(len(knots) >= 2 * len(low), "two knots or more")
        rising("knots", knots, strictly=False)
        rising("scores", vector(arrays, "scores", np.float64, length=len(knots)), strictly=False)
        return
    vector(arrays, "shift", np.float64, length=1)
    expect(bool(vector(arrays, "scale", np.float64, length=1)[0] > 0), "a scale above 0")


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
