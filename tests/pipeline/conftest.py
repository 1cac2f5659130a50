"""Hypothesis runs the same examples everywhere: a failure on one machine is a failure on all."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "resynth", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("resynth")
