"""``symbolic-mem homework``: the worked solution, the sheet that asks, and the key of all variants."""

import click

from symbolic_mem.cli.document import document_command

command = document_command(
    "homework",
    "Write the worked solution of the questions of STUDY; without -o, to the terminal as Markdown.",
    click.option("--sheet", is_flag=True, help="Write the problems alone, without any answer."),
    click.option("--key", is_flag=True, help="Write the answers of all variants, as a document or as .csv."),
)
