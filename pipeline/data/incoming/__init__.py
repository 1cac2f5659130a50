"""Which rows of a growing collection of files a training sees.

Files come in night after night. A *ledger* remembers the SHA-256 of every file that was taken in. `survey`
compares the files that are there now with the ledger and sorts them into three classes:

- *known*: the content is in the ledger. A renamed or copied file is still known, so no row counts twice.
- *new*: any other file that can be used.
- *quarantined*: a file that cannot be read, or whose columns do not match. It is ignored in place. An unreadable file
  is retried when its content or the read settings change; a mismatched one when its columns match.

Files whose columns differ harmlessly (`pipeline.data.tables.unify`) have one *shape*. The ledger keeps the schema of
every shape. The known files that are still there determine which shape is right; without known files, the most common
shape is right. Where the table's columns may change, the newest shape is right as long as a file of it is there, and
files of earlier shapes are ignored, known or not.

A query is a file too: new as a whole whenever its rows differ, so a column of times should say which of them are new.

Objects of a store are treated like files. An object whose address, size and time are in the ledger is not fetched
again.

`window` reads the rows to train on, from a growing or a rolling window, and says which of them are new: the rows of new
files or, with a time column, the rows later than the latest time in the ledger.

Both functions are pure: they take a ledger and return its successor. The caller keeps the successor once the training
is done.
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
