"""Typed, frozen records: the currency between stages.

Settings, reports and decisions are `Record`s. A record validates when it is made, refuses unknown keys,
cannot be changed, and round-trips through JSON (`model_dump_json`, `model_validate_json`).
"""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen, validated, JSON-ready value; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
