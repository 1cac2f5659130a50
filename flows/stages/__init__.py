"""The steps that flows are made of, each a Prefect task.

Tasks exchange references: a `Workspace` whose tables they read and write by name, a `Version` of the registry, a `Run`
of MLflow, and small records. No table travels through Prefect. The tables are `incoming` and `new`, as they came, and
`shown`, `train`, `validation`, `holdout` and `synthetic`, from which is taken what may not be shown.

Every task is given the section of the settings that it reads, and the settings of the loop where it needs several.

reading         a table comes in: surveyed, read, compared in its columns, split
memory          what is remembered of a training, and new rows held against it
planning        whether to train, and how
training        a synthesizer is fitted and registered
judging         its rows are compared with real ones, and the gate decides
approval        a person's word before a version becomes champion
publication     rows go out, in one step
stage           what makes a function a task
"""
