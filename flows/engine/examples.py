"""The example tables that come with resynth, and their settings."""

from pathlib import Path

INSTALLED, SOURCE = Path(__file__).parents[1] / "examples", Path(__file__).parents[2] / "data"
NAMES = ("adult_train.parquet", "bike_hour.parquet", "adult.toml", "README.md")
"""The files, which `pyproject.toml` puts into the package. The README is their attribution."""


def directory() -> Path:
    """Where they lie: in the installed package, or in `data/` of a checkout."""
    return INSTALLED if INSTALLED.is_dir() else SOURCE
