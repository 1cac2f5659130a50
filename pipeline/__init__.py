"""resynth's library: records in, records out.

A table is described by a `Schema`; each column has a *kind* (`pipeline.columns`) that turns its values into
the variables of a variational autoencoder (`pipeline.models`) and back; a `Synthesizer` holds schema, kinds
and network as one object that is fitted, saved, loaded and sampled. `evaluation`, `drift` and `promotion`
compare tables and decide. Nothing here knows Prefect, MLflow or the environment: that is `flows`.
"""
