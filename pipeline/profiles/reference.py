"""The reference of the table that a model was trained on.

A `Reference` holds the table's profile, the feature space in which later tables are compared, and how much the table
differs from itself by chance. It holds no row, has a bounded size, and is kept with the model. Later tables, or shards
of one, are profiled with `Reference.profile_of`, and `pipeline.decisions.drift` compares them with the reference.
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
from pipeline.progress import Progress, Tick, part, silent
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.schema import Column, Schema, value_type

SAMPLE = 50_000  # rows from which the space and the calibration are made
UNKNOWN = "identifier"  # a kind of which nothing is compared


class Reference(Record):
    """What is kept of a table to compare others with it.

    Attributes:
        profile: The profile of the table, in its own space.
        axes: The axes of that space.
        joint: The columns that span the space.
        calibration: The effect of chance.

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
    def of(
        cls,
        table: Frame,
        schema: Schema,
        *,
        seed: int = 0,
        ignore: Collection[str] = (),
        progress: Progress = silent,
    ) -> Self:
        """Make the reference of a table.

        Args:
            table: At least one row.
            schema: The schema of the table.
            seed: The seed of the sample and its splits.
            ignore: Columns that take no part in dependence and in distances of rows. Columns that move on with time
                never take part, because they would move all rows.
            progress: Called now and then.
        """
        table = to_arrow(table)
        joint = tuple(column.name for column in schema if _compared(column) and column.name not in ignore)
        sample = table.take(pa.array(stream(seed, "reference").permutation(table.num_rows)[:SAMPLE]))
        with threadpool_limits(limits=1):  # columns run in parallel, and nested BLAS threads would only wait
            plain = Profile.of(table, schema)
            progress(Tick("profile", 0.2, 1))
            space = FeatureSpace.span(_marginals(plain, joint), sample)
            profile = plain.model_copy(update={"embedding": Embedding.of(table, space)})
            progress(Tick("profile", 0.4, 1))
            calibration = calibrate(sample, profile, space, seed, part(progress, 0.4, 1))
        return cls(profile=profile, axes=space.axes, joint=joint, calibration=calibration)

    @cached_property
    def space(self) -> FeatureSpace:
        """The space in which rows are compared."""
        return FeatureSpace.from_axes(_marginals(self.profile, self.joint), self.axes)

    def profile_of(self, batches: Iterable[Frame]) -> Profile:
        """Profile another table, given in batches, so that it can be compared with this reference.

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
        """A schema with the reference's kinds for columns of the same name and type, and `UNKNOWN` for others."""
        known = {(column.name, column.type): column.kind for column in self.profile.columns}
        found = [
            Column(name=f.name, kind=known.get((f.name, str(value_type(f.type))), UNKNOWN), nullable=True)
            for f in arrow
        ]
        return Schema(tuple(found), arrow)


def _compared(column: Column) -> bool:
    """Whether the values of later tables should be distributed in this column as they are in this table."""
    measure = columns.measure(column.kind)
    return measure is not None and not measure.moves_on


def _marginals(profile: Profile, names: Collection[str]) -> Mapping[str, Marginal]:
    return {
        column.name: Marginal(column.measure, column.summary, profile.rows)
        for column in profile.columns
        if column.name in names and column.measure is not None
    }
