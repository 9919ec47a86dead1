"""Run the command line as ``python -m symbolic_mem``."""

from symbolic_mem.cli.entry import run

run()
