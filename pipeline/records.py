"""Typed, frozen records, which stages exchange.

Settings, reports and decisions are `Record`s. A record is validated when it is made, refuses unknown keys, cannot be
changed, and round-trips through JSON (`model_dump_json`, `model_validate_json`).
"""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen, validated, JSON-ready value. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
