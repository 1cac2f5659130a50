"""Checks of what was read from a file, before it is used.

A file may be damaged, cut off, or made by others. Code that reads a file states here what it must hold. Anything else
is a `DamagedError`: one line with the place and the expectation, and never a value.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from pipeline.errors import DamagedError

R = TypeVar("R", bound=BaseModel)


def record(kind: type[R], data: object) -> R:
    """Read `data`, as JSON gives it, as a record of a kind.

    Raises:
        DamagedError: `data` is no such record.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise DamagedError(f"{key or 'content'}: {problem['msg'][:80]}") from None


def expect(holds: bool, what: str) -> None:  # noqa: FBT001 - a call reads as a sentence that begins with the condition
    """Raise a DamagedError that `what` was expected, unless `holds` is true."""
    if not holds:
        raise DamagedError(f"expected {what}")


def exactly(arrays: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise a DamagedError unless the arrays have exactly these names."""
    if set(arrays) != set(names):
        missing, extra = len(set(names) - set(arrays)), len(set(arrays) - set(names))
        raise DamagedError(f"expected the arrays {', '.join(sorted(names))}; {missing} missing, {extra} unknown")


def vector(
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    dtype: type[np.generic],
    *,
    length: int | None = None,
    least: int | None = None,
    below: int | None = None,
) -> NDArray[Any]:
    """The array `name`, checked.

    Args:
        arrays: Arrays by name.
        name: The name of the array.
        dtype: Its exact type. Floats must be finite.
        length: Number of entries. Any number by default.
        least: Lower bound of all entries.
        below: All entries are less than this.

    Raises:
        DamagedError: The array is missing, or does not meet these expectations.
    """
    if name not in arrays:
        raise DamagedError(f"expected an array {name!r}, found none")
    array = arrays[name]
    if array.dtype != dtype or array.ndim != 1:
        raise DamagedError(
            f"array {name!r}: expected a row of {np.dtype(dtype)}, got {array.ndim} axes of {array.dtype}"
        )
    if length is not None and len(array) != length:
        raise DamagedError(f"array {name!r}: expected {length} numbers, got {len(array)}")
    finite(name, array)
    if (least is not None and (array < least).any()) or (below is not None and (array >= below).any()):
        bounds = f"at least {least}" if below is None else f"from {least} to below {below}"
        raise DamagedError(f"array {name!r}: expected numbers of {bounds}, got others")
    return array


def finite(name: str, array: NDArray[Any]) -> None:
    """Raise a DamagedError if floats are NaN or infinite."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DamagedError(f"array {name!r}: expected finite numbers, got NaN or infinity")


def rising(name: str, array: NDArray[Any], *, strictly: bool) -> None:
    """Raise a DamagedError unless the numbers of an array rise."""
    if not (array[1:] > array[:-1] if strictly else array[1:] >= array[:-1]).all():
        raise DamagedError(f"array {name!r}: expected numbers that rise, got others")
