"""``symbolic-mem show``: the file of a study, to be copied and changed."""

from __future__ import annotations

import click

from symbolic_mem.cli import complete


@click.command("show")
@click.argument("study", shell_complete=complete.of(complete.studies, files="file"))
def command(study: str) -> None:
    """Print STUDY as a .toml study that can be copied, changed and asked: a bundled study, or one of a config.json.

    \b
    symbolic-mem show cs336-a2-xxl > my.toml
    symbolic-mem solve my.toml
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    from symbolic_mem.library.written import written

    click.echo(written(study).encode(), nl=False)
