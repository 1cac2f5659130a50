"""The steps of flows, each a Prefect task.

Tasks exchange references: a `Workspace` whose tables they read and write by name, a `Version` of the registry, a `Run`
of MLflow, and small records. No table travels through Prefect. The tables `incoming` and `new` are as they came. The
tables `shown`, `train`, `validation`, `holdout` and `synthetic` hold no withheld values.

Every task takes the section of the settings that it reads, or the settings of the loop if it needs several sections.

reading         a table comes in: surveyed, read, compared in its columns, split
memory          what is kept of a training, and the comparison of new rows with it
planning        whether to train, and how
training        a synthesizer is fitted and registered
judging         its rows are compared with real ones, and the gate decides
approval        a person approves a version before it becomes champion
publication     rows are published, in one step
stage           what makes a function a task
"""
