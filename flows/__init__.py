"""resynth's operations: Prefect runs the work, MLflow remembers it, the `resynth` command starts it.

    cli             the command: arguments in, one answer and an exit code out
    serving         the schedules at work on this machine, and a line for everything that happens
    schedule        retraining and drift checks by the clock, and on drift
    verbs           one flow each: run, drift, export, replay, and what needs no flow: evaluate, prune, ui
    stages          the tasks that flows are made of; they exchange paths, ids and small records
    telling         what a person, a script or a webhook learns of it while it goes on and afterwards
    tracking        MLflow: runs, the registry, the stored model
    engine          Prefect and MLflow embedded in a home directory, unless the environment names servers; workspaces
    settings        `resynth.toml`

What is computed is in `pipeline`; here it is only carried out and written down.
"""
