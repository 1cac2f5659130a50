"""Normal forms of numbers, one chosen per column.

`tokens` cuts the values into symbols. `quantile`, `zscore`, `minmax` and `robust` scale them to a real variable.
Generated values stay within the training range and on the training grid (integers, decimal places). In the token form,
a value of fewer than the column's `least_rows` rows never stands alone. It shares a leaf with its neighbours. If it
lies between two values that stand alone, it counts as one of them. A value far from all others is not joined to them:
it means something else (9999-12-31, −999), and nothing lies between.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.domain import Domain, Grid, Line
from pipeline.checks import expect, record, rising, vector
from pipeline.columns.checked import domain_fits
from pipeline.columns.forms.base import Form
from pipeline.columns.forms.scored import MinMax, Quantile, Robust, ZScore
from pipeline.columns.forms.tokens import Tokens
from pipeline.errors import SchemaError
from pipeline.records import Record
from pipeline.schema import Column

__all__ = ["FORMS", "Form", "form_of", "load", "state"]

FORMS: dict[str, type[Form]] = {form.name: form for form in (Tokens, Quantile, ZScore, MinMax, Robust)}
"""Forms by name. The first is the default."""


def form_of(column: Column) -> type[Form]:
    """The form of a column.

    Raises:
        SchemaError: No form has the name that the column asks for.
    """
    name = column.normalization or Tokens.name
    if name not in FORMS:
        raise SchemaError(f"column {column.name!r}: expected a normalization of {', '.join(FORMS)}, got {name!r}")
    return FORMS[name]


def state(form: Form) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """JSON values and arrays, from which `load` makes the form again."""
    return {"domain": form.domain.model_dump(), "form": form.name, "nulls": form.nulls}, form.arrays


class _State(Record):
    """The JSON part of `state`. The domain of a line has no keys."""

    domain: Grid | Line
    form: str
    nulls: bool


def load(json: object, arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Form:
    """The inverse of `state`, for values of type `arrow`.

    Raises:
        DamagedError: No form has such a state.
    """
    found = record(_State, json)
    expect(found.form in FORMS, "a form that is known")
    _check(found.domain, FORMS[found.form], arrays, arrow)
    return FORMS[found.form](found.domain, nulls=found.nulls, arrays=arrays)


def _check(domain: Domain, form: type[Form], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> None:
    """Check the arrays of a form with values of type `arrow`."""
    positions = np.uint64 if isinstance(domain, Grid) else np.float64
    ends = vector(arrays, "ends", positions)
    expect(len(ends) in {0, 2}, "two ends, or none")
    rising("ends", ends, strictly=False)
    used = np.concatenate([arrays[name] for name in form.check(arrays, positions)])
    expect(len(arrays["low"]) == 0 if not len(ends) else len(arrays["low"]) > 0, "ends where there are values")
    if len(used):
        domain_fits(domain, used.min().item(), used.max().item(), arrow)
