"""Checks of what was read from a file, before it is used.

A file may be damaged, cut off, or made by somebody else. Whoever reads one says here what it must hold; anything else
is a `DamagedError` of one line that names the place and the expectation, and never a value.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from pipeline.errors import DamagedError

R = TypeVar("R", bound=BaseModel)


def record(kind: type[R], data: object) -> R:
    """`data`, as JSON gives it, as a record of a kind.

    Raises:
        DamagedError: It is none.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise DamagedError(f"{key or 'content'}: {problem['msg'][:80]}") from None


def expect(holds: bool, what: str) -> None:  # noqa: FBT001 - the condition that a sentence begins with
    """Raise a DamagedError that expected `what`, unless it holds."""
    if not holds:
        raise DamagedError(f"expected {what}")


def exactly(arrays: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise a DamagedError unless the arrays are those of these names."""
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
    """The array of a name.

    Args:
        arrays: Arrays by name.
        name: The name of one of them.
        dtype: Its exact type; floats must be finite.
        length: How many numbers it holds; any number where not given.
        least: No number is less.
        below: Every number is less.

    Raises:
        DamagedError: It is another kind of array.
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
    """Raise a DamagedError where floats are NaN or infinite."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DamagedError(f"array {name!r}: expected finite numbers, got NaN or infinity")


def rising(name: str, array: NDArray[Any], *, strictly: bool) -> None:
    """Raise a DamagedError unless the numbers of an array rise."""
    if not (array[1:] > array[:-1] if strictly else array[1:] >= array[:-1]).all():
        raise DamagedError(f"array {name!r}: expected numbers that rise, got others")
