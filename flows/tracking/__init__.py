"""MLflow: what was done, with what, and how good it was. Nothing else in resynth imports it.

store       runs: parameters, metrics per epoch, figures, JSON documents
registry    model versions, the `champion` alias, promotion and rollback
history     every move of the alias
retention   which versions and runs are past keeping
leftovers   files that MLflow keeps of what was deleted
fetching    the files of a version, fetched without running them
model       the stored form of a model, which MLflow can load and serve without resynth's flows
relocation  a home that was moved goes on
figures     pictures that no run fails for
"""
