"""The `centrala` command. Each command's work is done elsewhere; imports are late, so that help is quick."""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="centrala",
    help="An open contact centre: telephone queues, agents, recordings and records.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Config = Annotated[Path, typer.Option("--config", help="The centre as a file (see docs/reference).")]
Data = Annotated[Path, typer.Option("--data", help="The folder that holds everything the centre remembers.")]


def fail(sentence: object) -> typer.Exit:
    print(f"centrala: {sentence}", file=sys.stderr)
    return typer.Exit(1)


def _logging(verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


@app.command()
def serve(config: Config, data: Data, verbose: Annotated[bool, typer.Option("--verbose")] = False) -> None:
    """Run a centre until it is told to stop (Ctrl-C, SIGTERM)."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.media.client import WorkerDidNotStart
    from centrala.server import serve as run
    from centrala.settings import SettingsError, load

    _logging(verbose)
    try:
        settings = load(config)
        for warning in settings.warnings:
            logging.getLogger("centrala").warning("%s", warning)
        asyncio.run(run(settings, data, lambda line: print(line, flush=True)))
    except (SettingsError, DataFolderError, LedgerUnavailable, WorkerDidNotStart, OSError) as problem:
        raise fail(problem) from None


@app.command()
def contacts(
    data: Data,
    format: Annotated[str, typer.Option(help="jsonl")] = "jsonl",
    open_too: Annotated[bool, typer.Option("--open", help="Also those that are not over yet.")] = False,
) -> None:
    """Print every contact, one a line, oldest first. Works while the centre runs."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.ledger import contacts as read

    if format != "jsonl":
        raise fail(f"--format {format}: only jsonl is known")
    try:
        for record in read(data, include_open=open_too):
            print(json.dumps(record, ensure_ascii=False))
    except (DataFolderError, LedgerUnavailable) as problem:
        raise fail(problem) from None


@app.command()
def backup(
    data: Data, to: Annotated[Path, typer.Option("--to", help="A folder that doesn't exist yet.")]
) -> None:
    """Copy everything the centre remembers, also while it runs."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.ledger import backup as run

    try:
        print(run(data, to))
    except (DataFolderError, LedgerUnavailable, OSError) as problem:
        raise fail(problem) from None


@app.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="A folder that `centrala backup` made.")], data: Data
) -> None:
    """Make a data folder from a backup."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.ledger import restore as run

    try:
        print(run(source, data))
    except (DataFolderError, LedgerUnavailable, OSError) as problem:
        raise fail(problem) from None


def main() -> None:
    app()


if __name__ == "__main__":
    main()
