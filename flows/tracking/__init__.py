"""MLflow: what was done, with what, and how good it was. Nothing else in resynth imports it.

store       runs: parameters, metrics per epoch, figures, JSON documents
registry    model versions, the `champion` alias, promotion and rollback
files       the files of a version, fetched without running them
model       the stored form of a model, which MLflow can load and serve without resynth's flows
"""
