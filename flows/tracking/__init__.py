"""MLflow: what was done, with what, and how good it was. No other package of resynth imports MLflow.

store       runs: parameters, metrics per epoch, figures, JSON documents
registry    model versions, the `champion` alias, promotion and rollback
history     every move of the alias
retention   which versions and runs are not kept
leftovers   files that MLflow keeps of deleted versions and runs
fetching    the files of a version, fetched without running them
model       the stored form of a model, which MLflow can load and serve without resynth's flows
signature   what a stored model takes and gives, in MLflow's words
relocation  a home that was moved keeps working
pages       what MLflow's pages say of experiments, models and the source of runs
figures     pictures whose failure fails no run
"""
