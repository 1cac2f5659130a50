"""`python -m flows` is the `resynth` command."""

import sys

from flows.cli import main

sys.exit(main())
