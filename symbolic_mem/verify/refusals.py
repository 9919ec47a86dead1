"""`refusals`: what an engine raises is said as its refusal, in one line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from symbolic_mem.base.errors import BadInput, SymbolicMemError

PACKAGE = str(Path(__file__).parent.parent)
LOGGED = "torch._subclasses.fake_tensor"  # writes the trace of an operation that it refuses


@contextmanager
def refusals(engine: str) -> Generator[None]:
    r"""Raise what the `engine` raises in this context as `BadInput` with its first line; what this package raises stays as it is.

    PyTorch raises errors without a frame of its own, too, and these are `RuntimeError`, which this package does not raise.

    >>> with refusals("PyTorch 2.13.0"):
    ...     raise RuntimeError("no such product\nand why")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: PyTorch 2.13.0 refuses this step: RuntimeError: no such product; change the study's sizes, model, kernel or plan
    """
    logger = logging.getLogger(LOGGED)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    except (SymbolicMemError, OSError, MemoryError):
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1].filename
        if where.startswith(PACKAGE) and type(error) is not RuntimeError:
            raise
        first = next(iter(str(error).strip().splitlines()), "")
        said = f"{type(error).__name__}{': ' if first else ''}{first.rstrip('.')}"
        who = "transformers" if "transformers" in Path(where).parts else engine
        raise BadInput(f"{who} refuses this step: {said}; change the study's sizes, model, kernel or plan") from error
    finally:
        logger.disabled = before
