"""`centrala plan …`: staffing and queues from the command line. The models are loaded when a command runs."""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="How many agents are needed, and what callers meet with them.")

Handling = Annotated[float, typer.Option(help="Mean seconds a call takes, after-call work included.")]
PatienceOption = Annotated[
    float | None,
    typer.Option(help="Mean seconds callers wait before they hang up. Left out: for ever (Erlang C)."),
]
Within = Annotated[float, typer.Option(help="Seconds that the service level allows.")]
Definition = Annotated[
    str,
    typer.Option(
        help="Service level: answered in time over A all, C all but short abandons, D answered; "
        "B counts short abandons as good."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def staffing(
    calls: Annotated[list[float], typer.Argument(help="Calls in each interval, one number or more.")],
    handling: Handling = 240.0,
    interval: Annotated[float, typer.Option(help="Minutes of an interval.")] = 30.0,
    patience: PatienceOption = None,
    service_level: Annotated[float, typer.Option("--level", help="Share of calls to answer in time.")] = 0.8,
    within: Within = 20.0,
    definition: Definition = "C",
    max_abandon: Annotated[float | None, typer.Option(help="Share of calls that may give up.")] = None,
    max_occupancy: Annotated[
        float | None, typer.Option(help="Share of their time agents may be busy.")
    ] = None,
    shrinkage: Annotated[float, typer.Option(help="Share of paid time that agents aren't there.")] = 0.0,
    parts: Annotated[int, typer.Option(help="Steps of an agent: 2 staffs to the half.")] = 1,
    method: Annotated[
        str, typer.Option(help="stationary: each interval alone; offered_load; iterative: the day solved.")
    ] = "stationary",
    as_json: AsJson = False,
) -> None:
    """The least agents for each interval."""
    with _said():
        from centrala.workforce.checks import share
        from centrala.workforce.errors import BadInput
        from centrala.workforce.models import queue
        from centrala.workforce.staffing import Target
        from centrala.workforce.varying import solve_day, staff_day

        away = float(share("shrinkage", shrinkage))
        if away >= 1:
            raise BadInput("shrinkage: nobody is ever there at 1")
        target = Target(
            service_level,
            within,
            _definition(definition),
            max_abandon=max_abandon,
            max_occupancy=max_occupancy,
        )
        patient = math.inf if patience is None else patience
        agents = staff_day(
            calls, interval * 60, handling, target, patience=patient, method=_method(method), parts=parts
        )
        rows = []
        day = None
        if method != "stationary" and parts == 1:
            # What the day really brings: who still talks from the interval before, who still waits.
            day = solve_day(calls, interval * 60, handling, agents, patience=patient, within=within)
        for index, (count, needed) in enumerate(zip(calls, agents.tolist(), strict=True)):
            hourly = count * 60 / interval
            row: dict[str, Any] = {
                "calls": count,
                "agents": needed,
                "paid": math.ceil(needed / (1 - away) - 1e-9),
            }
            if day is not None:
                row |= {
                    "service_level": float(day.service_level(_definition(definition))[index]),
                    "abandoned": float(day.p_abandon[index]),
                    "mean_wait": float(day.mean_wait[index]),
                    "occupancy": float(day.occupancy[index]),
                }
            elif needed and (patience is not None or hourly * handling / 3600 < needed):
                met = queue(needed, hourly, handling, patience=patient, within=within)
                row |= {
                    "service_level": met.service_level(_definition(definition)),
                    "abandoned": met.p_abandon,
                    "mean_wait": met.mean_wait,
                    "occupancy": met.occupancy,
                }
            rows.append(row)
    if as_json:
        sys.stdout.write(json.dumps({"interval_minutes": interval, "intervals": rows}, indent=2) + "\n")
        return
    table = Table(title=f"{service_level:.0%} in {within:g} s, {interval:g} minutes an interval")
    for heading in ("interval", "calls", "agents", "paid", "in time", "abandoned", "wait s", "busy"):
        table.add_column(heading, justify="right")
    for index, row in enumerate(rows, 1):
        table.add_row(str(index), f"{row['calls']:g}", f"{row['agents']:g}", str(row["paid"]), *_figures(row))
    Console().print(table)


@app.command()
def queue(
    agents: Annotated[float, typer.Argument(help="Agents; 10.5 is ten and one for half of the time.")],
    calls: Annotated[float, typer.Argument(help="Calls an hour.")],
    handling: Handling = 240.0,
    patience: PatienceOption = None,
    within: Within = 20.0,
    places: Annotated[
        int | None, typer.Option(help="Places to wait in; more callers are turned away.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What callers and agents meet in one queue."""
    with _said():
        from centrala.workforce.models import queue as solve

        met = solve(
            agents,
            calls,
            handling,
            patience=math.inf if patience is None else patience,
            within=within,
            places=places,
        )
        levels = {which: met.service_level(which) for which in ("A", "B", "C", "D")}
    names = (
        "load", "p_wait", "p_abandon", "p_block", "p_served", "mean_wait", "wait_of_served", "wait_of_abandoned",
        "mean_queue", "occupancy",
    )  # fmt: skip
    found = {name: getattr(met, name) for name in names}
    if as_json:
        kept = {name: None if math.isnan(value) else value for name, value in found.items()}
        sys.stdout.write(json.dumps({**kept, "within": within, "service_level": levels}, indent=2) + "\n")
        return
    table = Table(title=f"{agents:g} agents, {calls:g} calls an hour of {handling:g} s")
    table.add_column("figure")
    table.add_column("value", justify="right")
    labels = {
        "load": ("Erlangs offered", "{:.2f}"),
        "p_wait": ("wait at all", "{:.2%}"),
        "p_abandon": ("give up", "{:.2%}"),
        "p_block": ("turned away", "{:.2%}"),
        "p_served": ("answered", "{:.2%}"),
        "mean_wait": ("mean wait, s", "{:.1f}"),
        "wait_of_served": ("mean wait of the answered, s", "{:.1f}"),
        "wait_of_abandoned": ("mean wait of who gives up, s", "{:.1f}"),
        "mean_queue": ("waiting on average", "{:.2f}"),
        "occupancy": ("agents busy", "{:.1%}"),
    }
    for name, (label, shown) in labels.items():
        table.add_row(label, "–" if math.isnan(found[name]) else shown.format(found[name]))
    for which, level in levels.items():
        table.add_row(f"service level {which}, {within:g} s", f"{level:.2%}")
    Console().print(table)


def _figures(row: Mapping[str, Any]) -> list[str]:
    shown = {"service_level": "{:.1%}", "abandoned": "{:.1%}", "mean_wait": "{:.1f}", "occupancy": "{:.0%}"}
    return [form.format(row[name]) if name in row else "–" for name, form in shown.items()]


def _definition(name: str) -> Any:
    return name.upper()


def _method(name: str) -> Any:
    return name.replace("-", "_")


@contextmanager
def _said() -> Iterator[None]:
    """What can't be answered is one sentence and exit status 2."""
    try:
        yield
    except (ValueError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
