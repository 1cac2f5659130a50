"""What is remembered of the table that a model was trained on.

A `Reference` is the table's profile, the feature space in which later tables are looked at, and how much the table
differs from itself by chance. It holds no row, is of bounded size, and is kept with the model. Later tables, or shards
of one, are profiled in its terms (`Reference.profile_of`) and compared with it by `pipeline.decisions.drift`.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import Self

import pyarrow as pa
from threadpoolctl import threadpool_limits

from pipeline import columns
from pipeline.errors import TableError
from pipeline.frames import Frame, to_arrow
from pipeline.profiles.calibration import Calibration, calibrate
from pipeline.profiles.embedding import Embedding
from pipeline.profiles.features import Axes, FeatureSpace, Marginal
from pipeline.profiles.profile import Profile
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.schema import Column, Schema, value_type

SAMPLE = 50_000  # rows that the space and the calibration are made from
UNKNOWN = "identifier"  # the kind of which nothing is compared


class Reference(Record):
    """A table to compare others with.

    Attributes:
        profile: The profile of the table, in its own space.
        axes: The axes of that space.
        joint: The columns that span it.
        calibration: What chance does.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Reference, compare, infer
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 100, "member": [True, False] * 200})
        >>> reference = Reference.of(frame, infer(frame))
        >>> compare(reference, reference.profile_of([frame])).drifted
        False
        >>> compare(reference, reference.profile_of([frame.assign(age=60.0)])).drifted
        True
    """

    profile: Profile
    axes: Axes
    joint: tuple[str, ...]
    calibration: Calibration

    @classmethod
    def of(cls, table: Frame, schema: Schema, *, seed: int = 0, ignore: Collection[str] = ()) -> Self:
        """The reference that a table makes.

        Args:
            table: At least one row.
            schema: The schema of the table.
            seed: The seed of the sample and its divisions.
            ignore: Columns that take no part in dependence and distance of rows. Those that move on with time never
                do: they would carry all rows with them.
        """
        table = to_arrow(table)
        joint = tuple(column.name for column in schema if _compared(column) and column.name not in ignore)
        sample = table.take(pa.array(stream(seed, "reference").permutation(table.num_rows)[:SAMPLE]))
        with threadpool_limits(limits=1):  # columns run in parallel; nested threads of BLAS only wait for each other
            plain = Profile.of(table, schema)
            space = FeatureSpace.span(_marginals(plain, joint), sample)
            profile = plain.model_copy(update={"embedding": Embedding.of(table, space)})
            calibration = calibrate(sample, profile, space, seed)
        return cls(profile=profile, axes=space.axes, joint=joint, calibration=calibration)

    @cached_property
    def space(self) -> FeatureSpace:
        """Where rows are compared."""
        return FeatureSpace.from_axes(_marginals(self.profile, self.joint), self.axes)

    def profile_of(self, batches: Iterable[Frame]) -> Profile:
        """The profile of another table, given in batches, in the terms of this reference.

        Raises:
            TableError: There are no batches.
        """
        tables = map(to_arrow, batches)
        first = next(tables, None)
        if first is None:
            raise TableError("profile: expected at least one batch of rows, got none")
        schema = self._schema(first.schema)
        kinds = {column.name: column.kind for column in schema}
        whole = all(kinds.get(name, UNKNOWN) != UNKNOWN for name in self.joint)
        with threadpool_limits(limits=1):
            return Profile.of_batches(chain([first], tables), schema, self.space if whole else None)

    def _schema(self, arrow: pa.Schema) -> Schema:
        """Kinds of the reference, for columns of the same name and type; no kind can be said of others."""
        known = {(column.name, column.type): column.kind for column in self.profile.columns}
        found = [
            Column(name=f.name, kind=known.get((f.name, str(value_type(f.type))), UNKNOWN), nullable=True)
            for f in arrow
        ]
        return Schema(tuple(found), arrow)


def _compared(column: Column) -> bool:
    """Whether rows of later tables are to lie where those of this one do, in this column."""
    measure = columns.measure(column.kind)
    return measure is not None and not measure.moves_on


def _marginals(profile: Profile, names: Collection[str]) -> Mapping[str, Marginal]:
    return {
        column.name: Marginal(column.measure, column.summary, profile.rows)
        for column in profile.columns
        if column.name in names and column.measure is not None
    }
