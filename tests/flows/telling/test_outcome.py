"""The outcome of a run, as scripts and MLflow read it."""

import json

from flows.telling.outcome import RunOutcome


def test_scripts_find_the_documents_under_report() -> None:
    """The key `report` is a contract, in the command's answer and in MLflow, and an outcome is read back from JSON."""
    outcome = RunOutcome(name="small", decision="skipped", reasons=(), documents="mlruns/1", seconds={})
    assert outcome.answer()["report"] == "mlruns/1"
    assert json.loads(outcome.model_dump_json())["report"] == "mlruns/1"
    assert "documents" not in outcome.answer() | json.loads(outcome.model_dump_json())
    assert RunOutcome.model_validate_json(outcome.model_dump_json()) == outcome
