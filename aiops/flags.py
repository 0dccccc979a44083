"""Flags that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)
TARGET = "[CLUSTER/]NAMESPACE/[KIND/]NAME"

config_option = click.option(
    "--config", "config_file", type=FILE, default=Path("aiops.yaml"), show_default=True, help="The settings."
)
format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for machines.",
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Print diff and pull request, write nothing.")
at_option = click.option(
    "--at", metavar="TIME", help="Judge as of this time: ISO with zone, or unix seconds."
)
detailed_option = click.option(
    "--detailed-exitcode",
    "detailed",
    is_flag=True,
    help="End with 10 when a pull request was opened or updated.",
)
export_option = click.option(
    "--export",
    metavar="PLACE",
    envvar="AIOPS_EXPORT",
    help="Tell about this run as metrics: a textfile folder, or the URL of a Pushgateway.",
)
repo_option = click.option("--repo", type=FILE, help="A local repository instead of the settings' one.")
