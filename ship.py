"""How a wheel is built: by hatchling, with what is computed for it: accounts of bundled studies, tables as JSON, templates as Python.

A checkout and an editable install have no data and compute every answer, so that what they print is that of their sources;
nor do they need for their build what the package computes with.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.build import *
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Return what a wheel is built with beside hatchling: what the package runs with."""
    return tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


class Ship(BuildHookInterface):
    """Computes the data, and puts it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compute the data before the wheel is made."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from symbolic_mem.shipped.make import write
        finally:
            sys.path.remove(self.root)
        self.folder = Path(mkdtemp())
        for path in write(self.folder):
            build_data["force_include"][str(path)] = f"symbolic_mem/{path.relative_to(self.folder).as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Put the data away, which is in the wheel now."""
        if version != "editable":
            shutil.rmtree(self.folder)
