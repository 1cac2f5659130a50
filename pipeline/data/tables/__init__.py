"""Tables in: found, read, checked, unified and split.

`files` lists the files of a place. `load` reads them, or a frame, into one table, with a note for every cast and for
types that were guessed. `split` divides a table by a hash of each row's content. A table that cannot be used is refused
with one line. Every Arrow type can be read; `pipeline.columns` says which types can be modelled.
"""

from pipeline.data.formats import Footer, ReadSettings
from pipeline.data.tables.checks import LARGEST
from pipeline.data.tables.content import digest
from pipeline.data.tables.listing import files
from pipeline.data.tables.opening import footer, names, types
from pipeline.data.tables.reading import Gathered, Loaded, gather, load, read
from pipeline.data.tables.splitting import LEAST_ROWS, Split, SplitSettings, split
from pipeline.data.tables.unify import Joined, Named, Unified, founded, joined, unify

__all__ = [
    "LARGEST",
    "LEAST_ROWS",
    "Footer",
    "Gathered",
    "Joined",
    "Loaded",
    "Named",
    "ReadSettings",
    "Split",
    "SplitSettings",
    "Unified",
    "digest",
    "files",
    "footer",
    "founded",
    "gather",
    "joined",
    "load",
    "names",
    "read",
    "split",
    "types",
    "unify",
]
