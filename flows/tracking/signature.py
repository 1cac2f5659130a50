"""What a stored model takes and gives, in MLflow's words.

A request has three numbers. Their type is "Any" rather than "long": otherwise a server of MLflow would cut a fraction
off before the model could refuse it. The columns have the types of their JSON (`pipeline.arrow.jsonable`). Where MLflow
has no such type, as for integers of 64 bits without a sign, it is "Any" too.

The inputs and outputs are those of generated rows. With the parameter `score`, inputs are rows of the table and outputs
their scores; MLflow has one signature for a model, so its parameters alone name this.
"""

import pandas as pd
import pyarrow as pa
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType, Array, Object, Property

from pipeline.arrow.widening import is_bytes, is_list, is_string
from pipeline.statistics.thresholds import FALSE_ALARMS

REQUEST = {"rows": 1, "seed": 0, "start": 0}
"""What a request names, and what it means if it does not."""
EXAMPLE = pd.DataFrame([REQUEST | {"rows": 3}])

ANY: AnyType = AnyType()  # type: ignore[no-untyped-call]
SHORT, LONG = 32, 64  # bits
Type = DataType | Array | Object | AnyType


def signature(rows: pa.Schema) -> ModelSignature:
    """The signature of a model that generates rows of a schema."""
    return ModelSignature(
        inputs=Schema([ColSpec(ANY, name, required=False) for name in REQUEST]),
        outputs=Schema([ColSpec(type_of(field.type), field.name, required=not field.nullable) for field in rows]),
        params=ParamSchema(
            [
                *(ParamSpec(name, DataType.long, default) for name, default in REQUEST.items()),
                ParamSpec("score", DataType.boolean, default=False),
                ParamSpec("false_alarms", DataType.double, FALSE_ALARMS),
            ]
        ),
    )


def type_of(arrow: pa.DataType) -> Type:
    """MLflow's type of the JSON of values of an Arrow type."""
    if isinstance(arrow, pa.BaseExtensionType):
        return type_of(arrow.storage_type)
    if pa.types.is_dictionary(arrow):
        return type_of(arrow.value_type)
    if pa.types.is_map(arrow):
        return Array(_object([arrow.key_field.with_name("key"), arrow.item_field.with_name("value")]))
    if is_list(arrow):
        return Array(type_of(arrow.value_type))
    if pa.types.is_struct(arrow):
        return _object(list(arrow))
    return _leaf(arrow)


def _leaf(arrow: pa.DataType) -> DataType | AnyType:
    types = pa.types
    tests = (
        (types.is_boolean, DataType.boolean),
        (lambda kind: types.is_integer(kind) and _bits(kind) <= SHORT, DataType.integer),
        (lambda kind: types.is_integer(kind) and _bits(kind) <= LONG, DataType.long),
        (lambda kind: types.is_floating(kind) and kind.bit_width <= SHORT, DataType.float),
        (types.is_floating, DataType.double),
        (is_bytes, DataType.binary),
        (lambda kind: types.is_date(kind) or types.is_timestamp(kind), DataType.datetime),
        (lambda kind: is_string(kind) or types.is_decimal(kind), DataType.string),
        (lambda kind: types.is_time(kind) or types.is_duration(kind), DataType.string),
    )
    return next((found for test, found in tests if test(arrow)), ANY)


def _bits(integer: pa.DataType) -> int:
    """The bits of a type with a sign that holds all values of a type of integers."""
    return int(integer.bit_width) + bool(pa.types.is_unsigned_integer(integer))


def _object(fields: list[pa.Field]) -> Object | AnyType:
    """A structure. MLflow has none without fields, and none with two fields of one name."""
    if not fields or len({field.name for field in fields}) < len(fields):
        return ANY
    return Object([Property(field.name, type_of(field.type), required=not field.nullable) for field in fields])
