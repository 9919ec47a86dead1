"""The version of the package: it stands here, below everything, so that every file may print it."""

__version__ = "0.1.0"
