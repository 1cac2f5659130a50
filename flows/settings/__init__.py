"""`resynth.toml`: every choice a user can make, in one validated record.

Each section is the settings record of the stage that reads it, so a key is described where it is used:

    name = "adult"
    [evaluation]
    target = "income"
    [columns.age]
    normalization = "quantile"

Values of the command line win over the file. One file may serve several tables, each with its own settings:

    [schedule]
    retrain = "0 3 * * *"
    [tables.customers]
    data = "incoming/customers"
    [tables.orders]
    data = "incoming/orders"
    training.time_limit = 60
"""

from flows.settings.choices import FILE, Settings, name_of
from flows.settings.sections import Event, NotifySettings, RetentionSettings, ScheduleSettings, interval

__all__ = [
    "FILE",
    "Event",
    "NotifySettings",
    "RetentionSettings",
    "ScheduleSettings",
    "Settings",
    "interval",
    "name_of",
]
