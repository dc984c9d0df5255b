"""The `centrala` command. Each command's work is done elsewhere; imports are late, so that help is quick."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
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
    logging.getLogger("websockets").setLevel(logging.WARNING)


@app.command()
def serve(config: Config, data: Data, verbose: Annotated[bool, typer.Option("--verbose")] = False) -> None:
    """Run a centre until it is told to stop (Ctrl-C, SIGTERM)."""
    from centrala.flows import published_ids
    from centrala.flows.checking import lacking
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.media.client import WorkerDidNotStart
    from centrala.people.changes import saved
    from centrala.server import serve as run
    from centrala.settings import SettingsError, load
    from centrala.settings.tree import SAVED

    _logging(verbose)
    try:
        settings = load(config, None, replace(saved(data), flows=published_ids(data)))
        for warning in settings.warnings:
            logging.getLogger("centrala").warning("%s", warning)
        for sentence in lacking(settings, data):
            logging.getLogger("centrala").warning("%s", sentence)
        asyncio.run(run(settings, data, lambda line: print(line, flush=True)))
    except SettingsError as problem:
        hint = "\nWhat was set on the screen can be taken back with `centrala config undo`."
        raise fail(f"{problem}{hint if any(one.line == SAVED for one in problem.problems) else ''}") from None
    except (DataFolderError, LedgerUnavailable, WorkerDidNotStart, OSError) as problem:
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
        made = run(data, to)
        size = sum(file.size for file in made.files) / 1e6
        print(
            f"{len(made.files)} files ({size:.1f} MB) of {', '.join(made.tenants) or 'no tenant'} are in {to}"
        )
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
        made = run(source, data)
        print(f"{len(made.files)} files of {made.made_at} are in {data}; start it with centrala serve")
    except (DataFolderError, LedgerUnavailable, OSError) as problem:
        raise fail(problem) from None


@app.command()
def simulate(
    config: Config,
    hours: Annotated[float, typer.Option(help="Length of one simulated day.")] = 8.0,
    calls: Annotated[
        list[str] | None,
        typer.Option("--calls", help="Calls per hour: 60 for every queue, or sales=60; repeatable."),
    ] = None,
    handling: Annotated[float, typer.Option(help="Mean conversation, seconds.")] = 240.0,
    patience: Annotated[float, typer.Option(help="Mean patience, seconds; 0 for endless.")] = 120.0,
    agents: Annotated[int | None, typer.Option(help="So many agents instead of those in the file.")] = None,
    replications: Annotated[int, typer.Option(help="Simulated days, for the confidence intervals.")] = 10,
    seed: Annotated[int, typer.Option()] = 1,
    tenant: Annotated[
        str | None, typer.Option(help="Which tenant of the file; the first by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What a centre's file would do with so many calls: the live routing core under a virtual clock."""
    from centrala.sim.cli import simulate_command

    try:
        rates = _rates(calls or ["60"])
    except ValueError:
        raise fail("--calls: expected a number, or queue=number") from None
    raise typer.Exit(
        simulate_command(
            config,
            hours,
            rates,
            handling,
            patience if patience > 0 else None,
            agents,
            replications,
            seed,
            as_json,
            tenant,
        )
    )


def _rates(words: list[str]) -> float | dict[str, float]:
    """One rate for all queues, or one for each that is named. Raises ValueError."""
    if len(words) == 1 and "=" not in words[0]:
        return float(words[0])
    return {name: float(rate) for name, _, rate in (word.partition("=") for word in words)}


@app.command()
def demo(
    duration: Annotated[
        float | None, typer.Option(help="Seconds; until Ctrl-C on a terminal, 60 s without one.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what happened to this file, as JSON.")] = None,
    data: Annotated[Path | None, typer.Option(help="Keep everything in this folder.")] = None,
    seed: Annotated[int, typer.Option()] = 1,
    calls_per_minute: Annotated[float, typer.Option("--calls-per-minute")] = 18.0,
) -> None:
    """A living centre on this machine: simulated callers and agents over real SIP and RTP on loopback."""
    from centrala.demo import demo as run

    raise typer.Exit(run(duration, report, data, seed, calls_per_minute))


@app.command()
def doctor(
    config: Annotated[Path | None, typer.Option("--config", help="The centre as a file.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Its data folder.")] = None,
) -> None:
    """Look whether everything a centre needs is there: ports, addresses, sound, disk, and a call to itself."""
    from centrala.doctor import doctor as run

    raise typer.Exit(run(config, data))


users = typer.Typer(help="Users of the pages and of the API.", no_args_is_help=True)
app.add_typer(users, name="user")

Tenant = Annotated[str, typer.Option("--tenant", help="Whose user; an id from the centre's file.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="agent, supervisor, administrator, quality, trainer, planner, technician, client_viewer; repeatable.",
    ),
]
Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", help="tenant (the default), client:ID, team:ID or queue:ID; repeatable."),
]


@users.command("add")
def user_add(
    name: str,
    data: Data,
    tenant: Tenant,
    role: Roles,
    scope: Scopes = None,
    agent: Annotated[str | None, typer.Option("--agent", help="The agent this person acts as.")] = None,
) -> None:
    """Make a user. Asks for the password, or reads it from a line on standard input."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.console import add

    try:
        print(add(data, tenant, name, role, scope or ["tenant"], agent))
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@users.command("list")
def user_list(data: Data, tenant: Tenant) -> None:
    """Print the users of a tenant, one a line, as JSON."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.console import listed

    try:
        for one in listed(data, tenant):
            print(json.dumps(one, ensure_ascii=False))
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@users.command("password")
def user_password(name: str, data: Data, tenant: Tenant) -> None:
    """Give a user a new password; takes authenticator and passkeys off too, and ends every session."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.console import password

    try:
        print(password(data, tenant, name))
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@users.command("link")
def user_link(
    name: str,
    data: Data,
    tenant: Tenant,
    url: Annotated[
        str | None, typer.Option("--url", help="Where the pages are, e.g. https://centre.example.")
    ] = None,
) -> None:
    """Print a link that signs a user in: good for ten minutes, and once. Without --url, its secret alone."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.console import link

    try:
        print(link(data, tenant, name, url))
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


settings_app = typer.Typer(
    help="The centre's settings: what stands in its file, and what was set on the screen.",
    no_args_is_help=True,
)
app.add_typer(settings_app, name="config")

OneTenant = Annotated[str | None, typer.Option("--tenant", help="One tenant; all of them by default.")]
Other = Annotated[Path, typer.Option("--from", help="A file as `centrala config export` writes it.")]


@settings_app.command("diff")
def config_diff(
    config: Config,
    data: Data,
    tenant: OneTenant = None,
    other: Annotated[
        Path | None, typer.Option("--from", help="What applying this file would change, instead.")
    ] = None,
) -> None:
    """Print what was set on the screen beside the file, as YAML with + and -."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.config import diff
    from centrala.settings import SettingsError

    try:
        print(diff(config, data, tenant, other))
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@settings_app.command("export")
def config_export(config: Config, data: Data, tenant: OneTenant = None) -> None:
    """Print all settings of the tenants as a file; in the place of secrets stand variables' names."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.config import export
    from centrala.settings import SettingsError

    try:
        print(export(config, data, tenant), end="")
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@settings_app.command("apply")
def config_apply(config: Config, data: Data, other: Other, tenant: OneTenant = None) -> None:
    """Save what a file says beyond the centre's own. A running centre goes by it within seconds."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.config import apply
    from centrala.settings import SettingsError

    try:
        print(apply(config, data, tenant, other))
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@settings_app.command("undo")
def config_undo(data: Data, tenant: Tenant) -> None:
    """Go back to what was set on the screen before the last change. Helps where a centre doesn't start any more."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.config import undo

    try:
        print(undo(data, tenant))
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


customers = typer.Typer(help="Customers: persons and companies.", no_args_is_help=True)
app.add_typer(customers, name="customers")


@customers.command("import")
def customers_import(
    file: Path,
    data: Data,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose customers; an id from the centre's file.")],
    config: Annotated[Path | None, typer.Option("--config", help="The centre as a file.")] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Whose national numbers are meant, e.g. PL.")
    ] = None,
) -> None:
    """Read customers from a CSV file (docs/reference/customers.md). Tells each line that can't be taken."""
    from centrala.customers import country_of
    from centrala.customers.console import imported
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.changes import saved
    from centrala.settings import SettingsError, load

    try:
        if config is not None:
            of = load(config, None, saved(data)).tenants.get(tenant)
            if of is None:
                raise fail(f"--tenant {tenant}: there is no such tenant in {config}")
            country = country or country_of(of.timezone, of.locale, of.country)
        elif country is None:
            raise fail("give --config or --country: whose national numbers are in the file?")
        for line in imported(data, tenant, file, country):
            print(line)
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError, OSError) as problem:
        raise fail(problem) from None


flows = typer.Typer(
    help="Flows: what callers are told and asked (docs/reference/flows.md).", no_args_is_help=True
)
app.add_typer(flows, name="flow")

AnyConfig = Annotated[
    Path | None, typer.Option("--config", help="The centre as a file: what queues, agents … there are.")
]
AnyData = Annotated[
    Path | None, typer.Option("--data", help="Its data folder: what sounds and published flows there are.")
]
OneHouse = Annotated[
    str | None, typer.Option("--tenant", help="Which tenant of the file; the first by default.")
]


@flows.command("check")
def flow_check(file: Path, config: AnyConfig = None, data: AnyData = None, tenant: OneHouse = None) -> None:
    """Print what is wrong with a flow in a JSON file. Without --config, names of queues and the like aren't checked."""
    from centrala.flows.console import check
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.settings import SettingsError, load

    try:
        lines, good = check(file, None if config is None else load(config), tenant, data)
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None
    for line in lines:
        print(line)
    if not good:
        raise typer.Exit(1)
    print(f"{file} can be published")


@flows.command("try")
def flow_try(
    file: Path,
    keys: Annotated[
        str,
        typer.Option(
            help="Pressed one by one when a key is awaited, e.g. 1,48#; a point lets the time run out."
        ),
    ] = "",
    config: AnyConfig = None,
    data: AnyData = None,
    tenant: OneHouse = None,
    at: Annotated[
        str | None, typer.Option(help="When the call comes, e.g. 2026-12-24T18:30; now by default.")
    ] = None,
    caller: Annotated[str, typer.Option(help="Who calls; left out, they withhold their number.")] = "",
    language: Annotated[str, typer.Option(help="Of the prompts, in the place of the flow's.")] = "",
    errand: Annotated[
        list[str] | None,
        typer.Option("--errand", help="How looking up and the like ends, e.g. order=next; repeatable."),
    ] = None,
) -> None:
    """Go through a flow with simulated keys, and print what happens. Nobody is called, and nothing is sent."""
    from centrala.flows.console import attempt
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.settings import SettingsError, load

    ends = {node: exit for node, sign, exit in (one.partition("=") for one in errand or ()) if sign}
    if len(ends) != len(errand or ()):
        raise fail("--errand: expected node=exit, each node once")
    try:
        settings = None if config is None else load(config)
        for line in attempt(
            file, settings, tenant, data, keys=keys, at=at, caller=caller, language=language, errands=ends
        ):
            print(line)
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@flows.command("publish")
def flow_publish(
    file: Path,
    config: Config,
    data: Data,
    tenant: OneHouse = None,
    id: Annotated[
        str | None, typer.Option("--id", help="What the flow is called; the file's name by default.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What is new, for those who look later.")] = "",
) -> None:
    """Let callers go through a flow in a JSON file. A running centre goes by it within seconds."""
    from centrala.flows.console import publish
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.changes import saved
    from centrala.settings import SettingsError, load

    try:
        for line in publish(file, load(config, None, saved(data)), tenant, data, id, note[:200]):
            print(line)
    except (SettingsError, DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


try:
    from centrala.workforce.console import app as plan
except ImportError as missing:
    needed = str(missing)
    plan = typer.Typer(help=f"Staffing. {needed}", invoke_without_command=True)

    @plan.callback()
    def plan_missing() -> None:
        raise fail(needed)


@plan.command("make")
def plan_make(
    config: Config,
    data: Data,
    first: Annotated[str, typer.Option(help="The Monday it begins on, such as 2026-11-30.")],
    weeks: Annotated[int, typer.Option(help="How many.")] = 1,
    queue: Annotated[list[str] | None, typer.Option(help="Repeatable; all of them by default.")] = None,
    typed: Annotated[
        Path | None,
        typer.Option(
            help="JSON with per_hour and handling (docs/reference/planning.md); left out, the records."
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="80/20; each queue's own by default.")] = None,
    level: Annotated[float, typer.Option(help="Quantile of the demand that is staffed for.")] = 0.8,
    step: Annotated[int, typer.Option(help="Minutes of an interval.")] = 30,
    seconds: Annotated[float, typer.Option(help="To look for a better roster.")] = 60.0,
    name: Annotated[str, typer.Option(help="For people.")] = "",
    tenant: OneHouse = None,
) -> None:
    """Make a plan of weeks to come, and keep it as a draft: demand, staffing, who works when."""
    import time

    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.people.changes import saved
    from centrala.planning.console import lines_of, make, request_of
    from centrala.settings import SettingsError, load

    try:
        asked = request_of(name, first, weeks, queue or [], target, level, step, seconds, typed)
        made = make(load(config, None, saved(data)), tenant, data, asked, time.time(), _noted(data))
    except (SettingsError, DataFolderError, LedgerUnavailable, ImportError, OSError, ValueError) as problem:
        raise fail(problem) from None
    for line in lines_of(made):
        print(line)


@plan.command("show")
def plan_show(
    data: Data,
    id: Annotated[str | None, typer.Argument(help="Of a plan; left out, all of them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    tenant: OneHouse = None,
) -> None:
    """The plans that are kept, or one of them by day."""
    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.planning.console import show

    try:
        for line in show(data, tenant, id, as_json):
            print(line)
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


@plan.command("publish")
def plan_publish(
    id: Annotated[str, typer.Argument(help="Of a plan, as `centrala plan show` says.")],
    data: Data,
    tenant: OneHouse = None,
) -> None:
    """Let people work by a plan. A running centre goes by it at once."""
    import time

    from centrala.ledger import DataFolderError, LedgerUnavailable
    from centrala.planning.console import publish

    try:
        print(publish(data, tenant, id, time.time(), _noted(data)))
    except (DataFolderError, LedgerUnavailable, ValueError) as problem:
        raise fail(problem) from None


def _noted(data: Path) -> Callable[[str, str, str, object], None]:
    """What writes an entry of the console's in the trail."""
    import time
    from contextlib import closing

    from centrala.people import open_people
    from centrala.people.store import CONSOLE, note

    def write(tenant: str, action: str, subject: str, after: object) -> None:
        with closing(open_people(data)) as people, people.writing() as db:
            note(db, time.time(), tenant, CONSOLE, action, subject, None, after, CONSOLE)

    return write


app.add_typer(plan, name="plan")


def main() -> None:
    app()


if __name__ == "__main__":
    main()
