"""Tables in: found, read with every check, of one schema, and split by content.

A table is read once and refused with one clear line when it cannot be used. `files` lists what a place leads to,
`load` makes one table of it and tells what was done to get there, `split` divides it by a hash of each row's content.
Any Arrow type comes in; which of them can be modelled is the business of `pipeline.columns`.
"""

from pipeline.data.tables.checks import LARGEST, ReadSettings
from pipeline.data.tables.content import digest
from pipeline.data.tables.listing import files
from pipeline.data.tables.parquet import Footer, footer
from pipeline.data.tables.reading import Loaded, load, read
from pipeline.data.tables.splitting import LEAST_ROWS, Split, SplitSettings, split
from pipeline.data.tables.unify import Joined, Named, Unified, founded, joined, unify

__all__ = [
    "LARGEST",
    "LEAST_ROWS",
    "Footer",
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
    "joined",
    "load",
    "read",
    "split",
    "unify",
]
