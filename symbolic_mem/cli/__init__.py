"""The command line: one thin command per verb, each importing the library only when it runs."""

from symbolic_mem.cli.main import main, run

__all__ = ["main", "run"]
