"""``symbolic-mem completion``: the script that lets a shell complete verbs, options, studies and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of SHELL: put it where the shell reads it.

    \b
    bash   symbolic-mem completion bash > ~/.local/share/bash-completion/completions/symbolic-mem
    zsh    symbolic-mem completion zsh > ~/.zfunc/_symbolic-mem   (a folder of $fpath)
    fish   symbolic-mem completion fish > ~/.config/fish/completions/symbolic-mem.fish
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    made = get_completion_class(shell)
    assert made is not None, "every shell of the list has one"
    click.echo(made(click.Group(), {}, "symbolic-mem", "_SYMBOLIC_MEM_COMPLETE").source())
