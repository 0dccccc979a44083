"""The command line: flags in, exit code out.

Only declarations: a command's module is imported when it runs, so that `--help` stays quick.
click, not typer: typer 0.29 builds a pydantic adapter for each flag, which is too slow for the
0.3 s that `--help` may take. Exit codes are a contract, see `errors.SEVERITY`.
"""

from __future__ import annotations

import signal
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from aiops import __version__
from aiops.errors import AiopsError, ConfigError
from aiops.flags import (
    FILE,
    TARGET,
    at_option,
    config_option,
    detailed_option,
    dry_run_option,
    export_option,
    format_option,
    repo_option,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aiops", message="%(prog)s %(version)s")
def app() -> None:
    """Find out why a workload is anomalous and open the one-line GitOps pull request."""


@app.command()
@click.option(
    "--dir", "directory", type=FILE, default=Path("demo"), show_default=True, help="Where its files go."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Other noise, same story."
)
def demo(directory: Path, seed: int) -> int:
    """Watch the whole job on a small simulated mesh: no network, no credentials."""
    from aiops.commands import demo as command

    return command.demo(directory, seed)


@app.command()
@config_option
@click.option("--from", "start", metavar="TIME", help="Learn from here on; default 14 days back.")
@click.option("--to", "end", metavar="TIME", help="Learn up to here; default now.")
@click.option("--model", type=FILE, help="The model folder to write; default that of the settings.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the training."
)
def train(config_file: Path, start: str | None, end: str | None, model: Path | None, seed: int) -> int:
    """Fit the forecaster on historical metrics and write a model folder."""
    from aiops.commands import train as command

    return command.train(config_file, start, end, model, seed)


@app.command()
@config_option
@at_option
@dry_run_option
@click.option("--plan", "plan_out", type=FILE, help="Write the plan here and touch no forge.")
@click.option("--bundle", "bundle_out", type=FILE, help="Keep all that decided, for `aiops replay`.")
@click.option("--explain", metavar="TARGET", help="Print every rule asked for one workload.")
@click.option(
    "--deadline",
    "deadline_s",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    help="Seconds that all reading may take.",
)
@detailed_option
@export_option
@format_option
def run(**flags: Any) -> int:
    """Do one scheduled run: read, score, decide, propose."""
    from aiops.commands import run as command

    as_json = flags.pop("output_format") == "json"
    return command.run(flags.pop("config_file"), as_json=as_json, **flags)


render_option = click.option(
    "--render", is_flag=True, help="Let an installed kustomize or Helm confirm that one field alone differs."
)


@app.group(invoke_without_command=True)
@click.option("--plan", "plan_in", type=FILE, help="A plan that `aiops run --plan` wrote.")
@config_option
@at_option
@dry_run_option
@detailed_option
@export_option
@format_option
@click.pass_context
def propose(context: click.Context, /, plan_in: Path | None, **flags: Any) -> int:
    """Open or update the pull requests of a plan, or of one edit that a person asks for."""
    if context.invoked_subcommand is not None:
        return 0
    if plan_in is None:
        raise click.UsageError("expected --plan FILE, or the subcommand scale or rollback")
    from aiops.commands import propose as command

    as_json = flags.pop("output_format") == "json"
    return command.from_plan(plan_in, flags.pop("config_file"), as_json=as_json, **flags)


@propose.command()
@click.argument("target", metavar=TARGET)
@click.option("--to", help="How many replicas; default one half more.")
@repo_option
@config_option
@dry_run_option
@render_option
@format_option
def scale(target: str, **flags: Any) -> int:
    """Propose another number of replicas (or autoscaler maximum) for one workload."""
    from aiops.commands import propose as command

    return command.by_hand("scale", target, as_json=flags.pop("output_format") == "json", **flags)


@propose.command()
@click.argument("target", metavar=TARGET)
@click.option("--to", help="Which image tag; default the one before.")
@repo_option
@config_option
@dry_run_option
@render_option
@format_option
def rollback(target: str, **flags: Any) -> int:
    """Propose an earlier image tag for one workload."""
    from aiops.commands import propose as command

    return command.by_hand("rollback", target, as_json=flags.pop("output_format") == "json", **flags)


@app.command()
@click.argument("file", type=FILE)
@click.option("--output", type=FILE, required=True, help="Where the scores go: .csv, .csv.gz or .parquet.")
@click.option("--model", type=FILE, help="A model folder; default the starter.")
@click.option("--train-rows", type=click.IntRange(min=1), help="Rows of history; default the first fifth.")
@click.option("--columns", metavar="A,B", help="Only these columns.")
@click.option("--drop", metavar="C", help="Not these columns.")
@format_option
def score(file: Path, output: Path, **flags: Any) -> int:
    """Score any wide table of time series (.csv, .csv.gz, .parquet), seeing only the past."""
    from aiops.commands import score as command

    return command.score(file, output, as_json=flags.pop("output_format") == "json", **flags)


@app.command()
@click.argument("directory", metavar="DIR", type=FILE)
@click.option("--from", "start", metavar="TIME", required=True, help="First step to keep.")
@click.option("--to", "end", metavar="TIME", required=True, help="Last step to keep.")
@config_option
def record(directory: Path, start: str, end: str, config_file: Path) -> int:
    """Save the answers of all named queries as Parquet, to replay them later."""
    from aiops.commands import record as command

    return command.record(directory, start, end, config_file)


@app.command()
@click.argument("file", metavar="BUNDLE", type=FILE)
@click.option("--explain", metavar="TARGET", help="Print every rule asked for one workload.")
def replay(file: Path, explain: str | None) -> int:
    """Make the decision of BUNDLE, kept by `aiops run --bundle`, again, and compare it."""
    from aiops.commands import replay as command

    return command.replay(file, explain)


@app.command()
@click.argument("target", metavar=f"[{TARGET}]", required=False)
@repo_option
@config_option
@render_option
@format_option
def where(
    target: str | None, repo: Path | None, config_file: Path, output_format: str, *, render: bool
) -> int:
    """Show where tags, replicas and autoscaler bounds live, which place wins and who owns it."""
    from aiops.commands import where as command

    return command.where(target, repo, config_file, as_json=output_format == "json", render=render)


@app.command()
@config_option
@click.option("--from", "start", metavar="TIME", help="First run; default a week back.")
@click.option("--to", "end", metavar="TIME", help="Last run; default now.")
@click.option(
    "--every",
    "every_min",
    type=click.IntRange(min=1, max=1440),
    default=10,
    show_default=True,
    help="Minutes between runs.",
)
@click.option("--compare", metavar="DIR", type=FILE, help="Plans that shadow runs kept, instead of history.")
@click.option(
    "--budget",
    "a_week",
    metavar="N",
    type=click.FloatRange(min=0),
    help="Show which threshold leaves N proposals a week.",
)
@format_option
def backtest(config_file: Path, output_format: str, **flags: Any) -> int:
    """Which pull requests history, or the plans below DIR, would have had, and what people did instead."""
    from aiops.commands import backtest as command

    return command.backtest(config_file, as_json=output_format == "json", **flags)


@app.command()
@click.argument("file", metavar="REPORT", type=FILE)
@click.option("--output", type=FILE, default=Path("report.html"), show_default=True, help="The page.")
@click.option("--summary", "summary_file", type=FILE, help="Append a few lines of Markdown to this file.")
@click.option("--prometheus", metavar="URL", default="", help="Link queries to this address.")
def report(file: Path, output: Path, summary_file: Path | None, prometheus: str) -> int:
    """Turn the JSON of `aiops run` or `aiops backtest` (- for stdin) into one HTML page."""
    from aiops.commands import report as command

    return command.report(file, output, summary_file, prometheus)


HEADER_HELP = "Such as X-Scope-OrgID:shop; a secret only as '${NAME}', of the environment."


@app.command()
@click.option("--prometheus", envvar="AIOPS_PROMETHEUS", metavar="URL|DIR", help="A server, or a recording.")
@click.option("--repo", envvar="AIOPS_REPO", metavar="DIR|OWNER/NAME", help="The GitOps repository.")
@click.option("--base", default="main", show_default=True, help="The branch that is deployed.")
@click.option("--output", type=FILE, default=Path("aiops.yaml"), show_default=True, help="The file to write.")
@click.option("--bearer-env", metavar="NAME", help="Environment variable with a bearer token.")
@click.option("--username", help="For basic authentication.")
@click.option("--password-env", metavar="NAME", help="Environment variable with its password.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help=HEADER_HELP)
@click.option("--ca", type=FILE, help="Certificates of the server's authority.")
@click.option("--cert", type=FILE, help="Our certificate, for mutual TLS.")
@click.option("--key", type=FILE, help="Its key.")
@at_option
def init(at: str | None, **flags: Any) -> int:
    """Look at a Prometheus and a repository and write a first aiops.yaml; replaces nothing."""
    from aiops.commands import init as command
    from aiops.commands import settings_file

    return command.init(settings_file.Asked(**flags), at)


@app.command()
@config_option
@at_option
@format_option
def doctor(config_file: Path, at: str | None, output_format: str) -> int:
    """Check every prerequisite of a run: each line ok, or what to do. Writes nothing."""
    from aiops.commands import doctor as command

    return command.doctor(config_file, at, as_json=output_format == "json")


def main() -> None:
    """Run the command line; every expected error is one line on stderr and its exit code."""
    if sys.flags.optimize:
        # PyGithub guards the token against foreign hosts with `assert`: without it, it leaks.
        sys.stderr.write("error: refusing to run under `python -O`: it switches safety checks off\n")
        sys.exit(2)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(app.main(standalone_mode=False))
    except click.Abort:
        _interrupted()
    except KeyboardInterrupt:
        _interrupted()
    except click.ClickException as error:
        error.show()
        sys.exit(_documented(ConfigError(error.format_message())))
    except AiopsError as error:
        from aiops import terminal

        terminal.line(f"error: {error}", stderr=True)
        sys.exit(_documented(error))


def _documented(error: AiopsError) -> int:
    """Print the JSON document of an error that ended a command before it could, if one was asked for.

    Looked up in the words themselves: flags that click refuses were never parsed. Returns the exit code.
    """
    words = sys.argv[1:]
    if "--format=json" in words or ("--format", "json") in pairwise(words):
        from aiops import terminal
        from aiops.report import failure

        terminal.document(failure(error))
    return error.exit_code


def _interrupted() -> None:
    sys.stderr.write("interrupted; run again to go on\n")
    sys.exit(130)


def _terminated(*_: object) -> None:
    sys.stderr.write("terminated; run again to go on\n")
    sys.exit(143)


if __name__ == "__main__":
    main()
