"""resynth's operations: Prefect runs the work, MLflow remembers it, the `resynth` command starts it.

    cli             the command: arguments in, one answer and an exit code out
    run             the whole chain once: a table becomes a version, a decision and an export
    export, drift, evaluate     one flow each
    schedule        retraining and drift checks by the clock, and on drift
    tasks           the stages that flows are made of; they exchange paths, ids and small records
    tracking        MLflow: runs, the registry, the stored model
    engine          Prefect and MLflow embedded in a home directory, unless the environment names servers
    embedded        Prefect's server as a child of a command
    approval        a person's word before a version becomes champion
    settings        `resynth.toml`
    ui, servers     both web interfaces; how their servers are started
    notify          a webhook hears of promotions, refusals and failures
    scratch         the directory in which one run keeps real rows, and which it removes
    reports, display, progress      what a run tells, and what a person sees of it
    clock, provenance       seconds per stage; which code is running

What is computed is in `pipeline`; here it is only carried out and written down.
"""
