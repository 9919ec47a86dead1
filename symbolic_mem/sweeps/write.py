"""Files of a sweep: rows as .csv and .parquet, whole axes as .npz; each is complete or absent, and written as it comes."""

from __future__ import annotations

import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from symbolic_mem.base.cells import line, quoted
from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.render.files import checked_outputs
from symbolic_mem.sweeps.arrays import Arithmetic, arithmetic
from symbolic_mem.sweeps.engine import INSTANT
from symbolic_mem.sweeps.plan import Plan
from symbolic_mem.sweeps.rows import Rows, absent

Array = Any
ENDINGS = ("csv", "parquet", "npz", "svg")


def checked(given: str) -> tuple[Path, str]:
    """Return a path with its ending, refusing what could not be written before anything is computed."""
    ((path, ending),) = checked_outputs([given], known=ENDINGS)
    if ending == "parquet":
        _parquet()
    return path, ending


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingProgram(
            "a .parquet file needs pyarrow, which is not installed; `pip install pyarrow` installs it, or write a .csv"
        ) from None
    return pyarrow


class Writer(ABC):
    """Writes rows as they come."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.words = np.array([*plan.words, ""], dtype=object)

    @abstractmethod
    def write(self, rows: Rows) -> None:
        """Write some rows below those that were written."""

    @abstractmethod
    def close(self) -> None:
        """Write what must stand at the end."""


class Csv(Writer):
    """Comma-separated values, UTF-8, a cell empty where there is no value."""

    def __init__(self, plan: Plan, path: Path) -> None:
        super().__init__(plan)
        self.file = path.open("w", encoding="utf-8", newline="")
        self.started = False

    def write(self, rows: Rows) -> None:
        """See `Writer`."""
        if not self.started:
            self.file.write(line(rows))
            self.started = True
        columns = []
        for name, column in rows.items():
            if name == INSTANT:
                words = np.array([quoted(one) for one in self.words], dtype=object)
                columns.append(words[column].tolist())
                continue
            if name == "fits":
                cells = np.where(column, "true", "false").tolist()
            else:
                cells = [quoted(one) if isinstance(one, str) else str(one) for one in column.tolist()]
            none = absent(self.plan, rows, name)
            if none is not None:
                for place in np.flatnonzero(none):
                    cells[place] = ""
            columns.append(cells)
        self.file.writelines(",".join(cells) + "\n" for cells in zip(*columns, strict=True))

    def close(self) -> None:
        """See `Writer`."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


class Parquet(Writer):
    """A table of Apache Arrow, null where there is no value; numbers past 64 bits as decimals."""

    def __init__(self, plan: Plan, path: Path) -> None:
        super().__init__(plan)
        self.arrow, self.path, self.writer = _parquet(), path, None
        self.large = any(arithmetic(case) is Arithmetic.PYTHON for case in plan.cases.cases)

    def write(self, rows: Rows) -> None:
        """See `Writer`."""
        columns = {name: self._column(name, column, absent(self.plan, rows, name)) for name, column in rows.items()}
        table = self.arrow.table(columns)
        if self.writer is None:
            self.writer = self.arrow.parquet.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table)

    def _column(self, name: str, column: Array, none: Array | None) -> Any:
        if name == INSTANT:
            words = self.words[column]
            return self.arrow.array(words, mask=column < 0, type=self.arrow.string())
        if name in (one.name for one in self.plan.axes.choices):
            return self.arrow.array(column, type=self.arrow.string())
        if name == "fits":
            return self.arrow.array(np.ascontiguousarray(column))
        if column.dtype == object or (self.large and column.dtype != float and name not in self.plan.axes_names):
            from decimal import Decimal

            kind = self.arrow.decimal256(76, 0)
            return self.arrow.array([Decimal(int(one)) for one in column], mask=none, type=kind)
        return self.arrow.array(column, mask=none)

    def close(self) -> None:
        """See `Writer`."""
        if self.writer is not None:
            self.writer.close()


def arrays(folder: Path) -> Any:
    """Make arrays that lie in files of a folder, so that a grid may be larger than memory."""

    def make(name: str, shape: tuple[int, ...], kind: Any) -> Array:
        if np.dtype(kind) == object:
            raise BadInput("-o: an .npz file holds no numbers past 64 bits; write a .csv or a .parquet")
        place = folder / f"{len(list(folder.iterdir()))}.npy"
        made = np.lib.format.open_memmap(place, "w+", kind, shape)
        if hasattr(
            os, "posix_fallocate"
        ):  # a mapped file has holes, and one that is filled on a full disk ends the process
            with place.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, place.stat().st_size)
        return made

    return make


def packed(plan: Plan, columns: dict[str, Array], coordinates: dict[str, Array], whole: Path) -> None:
    """Write whole axes and columns into one .npz file, straight from where they lie."""
    choices = [one.name for one in plan.axes.choices]
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        parts: Iterator[tuple[str, Array]] = iter([*coordinates.items(), *columns.items()])
        for name, column in parts:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                kept = column.astype(str) if name in choices else column
                np.lib.format.write_array(file, np.asarray(kept), allow_pickle=False)
        for name, words in (("words", plan.words), ("dims", [axis.name for axis in plan.axes])):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.array(words, dtype=str), allow_pickle=False)
