"""``symbolic-mem report``: the account for a paper or a design review."""

from symbolic_mem.cli.document import document_command

command = document_command("report", "Write the account of STUDY as a report; without -o, to the terminal as Markdown.")
