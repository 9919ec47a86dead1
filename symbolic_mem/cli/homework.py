"""``symbolic-mem homework``: the worked solution."""

from symbolic_mem.cli.document import document_command

command = document_command(
    "homework", "Write the worked solution of the questions of STUDY; without -o, to the terminal as Markdown."
)
