"""Run the command line as ``python -m symbolic_mem``."""

import sys

from symbolic_mem.cli import main

sys.exit(main())
