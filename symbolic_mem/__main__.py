"""Run the command line as ``python -m symbolic_mem``."""

from symbolic_mem.cli.main import run

run()
