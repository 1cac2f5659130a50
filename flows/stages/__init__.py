"""The steps that flows are made of, each a Prefect task."""
