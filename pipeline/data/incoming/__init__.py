"""Which rows of a growing heap of files a training sees.

Parquet files come in night after night. A *ledger* remembers the content, by SHA-256, of every file that was taken
in; `survey` holds it against the files that are there now and tells three kinds apart:

- *known*: the content is in the ledger. A file that was renamed or copied is still known, so no row counts twice.
- *new*: any other file that can be used.
- *quarantined*: a file that cannot be read, or whose columns are not those of the others. It stays where it is and
  is ignored. An unreadable file is read again when its content or the settings for reading change; a file of other
  columns is used once its columns are the right ones.

Files whose columns differ harmlessly (`pipeline.data.tables.unify`) are files of one *shape*. The ledger keeps every
shape: the schema that holds all of its files. Which shape is right, the known files say that are still there; without
any, most of the files do. Where the table may change, the shape that was the last to come for the first time is right
as long as there is a file of it, and files of earlier ones are left alone, known or not.

Objects of a store are files like others. Those that are, by address, size and time, as they were when the ledger was
written are not fetched again to learn their content.

`window` then reads the rows to train on, a growing or a rolling window, and tells which of them are new: those of
new files or, where a column of times is named, those later than the latest row of the ledger.

Both are pure: the ledger comes in, its successor goes out, and whoever calls keeps it once the training is done.
"""

from pipeline.data.incoming.ledger import MOST_DAYS, Arrivals, IncomingSettings, Known, Ledger, Quarantined
from pipeline.data.incoming.surveying import survey
from pipeline.data.incoming.windows import Window, by_time, times, window

__all__ = [
    "MOST_DAYS",
    "Arrivals",
    "IncomingSettings",
    "Known",
    "Ledger",
    "Quarantined",
    "Window",
    "by_time",
    "survey",
    "times",
    "window",
]
