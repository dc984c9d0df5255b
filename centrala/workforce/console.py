"""`centrala plan …`: staffing, queues, forecasts, patience from the command line. Models are loaded when one runs."""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    no_args_is_help=True,
    help="How many calls will come, how many agents are needed, and what callers meet with them.",
)

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


File = Annotated[
    Path | None,
    typer.Argument(help="CSV with the columns start (2026-03-02 07:30) and value, perhaps weight."),
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The centre's data folder, instead of a CSV.")
]
QueueName = Annotated[str | None, typer.Option("--queue", help="Of the data folder; all queues if left out.")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="Of the data folder, if it has several.")]
Zone = Annotated[str, typer.Option("--timezone", help="Whose wall clock the data folder is read by.")]
Minutes = Annotated[int, typer.Option("--interval", help="Minutes of an interval.")]


@app.command()
def forecast(
    file: File = None,
    data: DataFolder = None,
    queue: QueueName = None,
    tenant: Tenant = None,
    timezone: Zone = "UTC",
    days: Annotated[int, typer.Option(help="Open days ahead.")] = 14,
    interval: Minutes = 30,
    measure: Annotated[
        str, typer.Option(help="calls, seconds (of handling) or share (of shrinkage).")
    ] = "calls",
    closed: Annotated[list[str] | None, typer.Option(help="A day closed, 2026-12-25; repeatable.")] = None,
    special: Annotated[
        list[str] | None,
        typer.Option(
            help="A day of a kind, past or to come, 2026-12-24=eve; or its factor, =1.4. Repeatable."
        ),
    ] = None,
    redials: Annotated[
        bool, typer.Option(help="Count callers who gave up and call again within 15 minutes anew.")
    ] = True,
    gaps: Annotated[
        str, typer.Option(help="Missing intervals of the CSV: refuse, zero (nobody called), unknown.")
    ] = "refuse",
    out: Annotated[Path | None, typer.Option(help="Write intervals with quantiles as CSV.")] = None,
    tried: Annotated[int, typer.Option(help="Try it on so many of the last days, by rolling origin.")] = 0,
    as_json: AsJson = False,
) -> None:
    """What will come, by interval, with how sure that is, and how good it was on the last days."""
    with _said():
        from centrala.workforce import forecasting as science
        from centrala.workforce.history import History
        from centrala.workforce.own import own_history, visits

        shut = frozenset(_day(text, "--closed") for text in closed or ())
        kinds = dict(_special(text) for text in special or ())
        if (file is None) == (data is None):
            raise ValueError("give a CSV or --data, one of them")
        if file is not None:
            past = History.read(
                file,
                minutes=interval,
                kind=_one_of(measure, "--measure"),
                gaps=_one_of(gaps, "--gaps"),
                closed=shut,
            )
        else:
            assert data is not None
            known = visits(data, timezone, queue=queue, tenant=tenant)
            today = datetime.now(_zone(timezone)).date()
            past = own_history(
                known,
                until=today,
                minutes=interval,
                kind=_one_of(measure, "--measure"),
                without_redials=None if redials else 900.0,
                closed=shut,
            )
        ahead = science.forecast(past, days, special=kinds)
        proof = science.rolling(past, tried, special=kinds)[0] if tried else None
        if out is not None:
            _write(out, ahead.rows())
    accuracy = ahead.accuracy if proof is None else proof
    totals = ahead.mean.sum(axis=1) if measure == "calls" else ahead.mean.mean(axis=1)
    if as_json:
        shown = {
            "accuracy": {
                "days": accuracy.days, "wape": _number(accuracy.wape), "seasonal_naive": _number(accuracy.naive),
                "coverage": _number(accuracy.coverage),
            },
            "notes": list(ahead.notes),
            "days": [
                {"day": str(day), "expected": float(totals[row])}
                | _band(ahead.totals, row)
                for row, day in enumerate(ahead.days)
            ],
            "intervals": ahead.rows(),
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    names = {"calls": "calls", "seconds": "mean seconds", "share": "mean share"}
    table = Table(title=f"{names[measure]} a day; {accuracy}")
    for heading in ("day", names[measure], "5 %", "95 %", "busiest interval"):
        table.add_column(heading, justify="right")
    for row, day in enumerate(ahead.days):
        busiest = int(ahead.mean[row].argmax())
        minute = ahead.begin + busiest * ahead.minutes
        band = (
            ("–", "–")
            if ahead.totals is None
            else (f"{ahead.totals[row, 0]:,.0f}", f"{ahead.totals[row, -1]:,.0f}")
        )
        form = ",.0f" if measure == "calls" else ".3g"
        table.add_row(
            f"{day.item():%a %Y-%m-%d}",
            f"{totals[row]:{form}}",
            *band,
            f"{minute // 60:02d}:{minute % 60:02d}  {ahead.mean[row, busiest]:{form}}",
        )
    Console().print(table)
    for note in ahead.notes:
        Console().print(f"· {note}")


@app.command()
def patience(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV with the columns wait (seconds) and abandoned (0 or 1), perhaps kind."),
    ] = None,
    data: DataFolder = None,
    queue: QueueName = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """How long callers would wait: the survival with its bands, and how likely they give up at each moment."""
    with _said():
        from centrala.workforce import hazard
        from centrala.workforce.own import visits

        again = None
        if (file is None) == (data is None):
            raise ValueError("give a CSV or --data, one of them")
        if file is not None:
            waits, gone, kinds = _waits(file)
        else:
            assert data is not None
            known = [
                one for one in visits(data, "UTC", queue=queue, tenant=tenant) if one.answered or one.gave_up
            ]
            waits, gone = [one.wait for one in known], [one.gave_up for one in known]
            kinds = [one.queue for one in known]
            again = hazard.calls_again(
                [one.at.timestamp() for one in known],
                [one.caller for one in known],
                [not one.gave_up for one in known],
            )
        whole = hazard.patience_of(waits, gone)
        rates = whole.hazard()
        by = hazard.patience_by(waits, gone, kinds) if len(set(kinds)) > 1 else {}
        chance = hazard.differ(by)[1] if len(by) > 1 and any(gone) else None
    rows = []
    for index, end in enumerate(rates.end.tolist()):
        if rates.waited[index] <= 0:
            break
        rows.append({
            "from": float(rates.begin[index]), "to": end, "still_waiting": float(whole.share(end)),
            "per_minute": 60 * float(rates.rate[index]), "low": 60 * float(rates.low[index]),
            "high": 60 * float(rates.high[index]), "gave_up": int(rates.gave_up[index]),
        })  # fmt: skip
    medians = {str(kind): _number(one.quantile(0.5)) for kind, one in by.items()}
    if as_json:
        shown = {
            "contacts": len(whole.waits), "gave_up": int(whole.abandoned.sum()), "mean": _number(whole.mean_by_rate),
            "median": _number(whole.quantile(0.5)), "hazard": rows, "median_by_kind": medians, "kinds_alike": chance,
            "redial_share": None if again is None else _number(again.redial_share),
            "repeat_share": None if again is None else _number(again.repeat_share),
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    mean = "for ever" if math.isinf(whole.mean_by_rate) else f"{whole.mean_by_rate:.0f} s"
    table = Table(
        title=f"{len(whole.waits):,} contacts, {int(whole.abandoned.sum()):,} gave up; mean patience {mean}"
    )
    for heading in ("waited, s", "still wait", "give up a minute", "5 % to 95 %", "gave up"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            f"{row['from']:g} to {row['to']:g}",
            f"{row['still_waiting']:.1%}",
            f"{row['per_minute']:.2%}",
            f"{row['low']:.2%} to {row['high']:.2%}",
            f"{row['gave_up']:,}",
        )
    Console().print(table)
    for kind, median in medians.items():
        after = "more than was seen" if median is None else f"{median:.0f} s"
        Console().print(f"· {kind}: half of them would give up after {after}")
    if chance is not None:
        Console().print(f"· as much difference between them by chance alone: {chance:.2%}")
    if again is not None and not math.isnan(again.redial_share):
        Console().print(f"· of those who gave up, {again.redial_share:.0%} called again within 15 minutes")


@app.command()
def waits(
    data: Annotated[Path, typer.Option("--data", help="The centre's data folder.")],
    timezone: Zone = "UTC",
    tenant: Tenant = None,
    tried: Annotated[int, typer.Option(help="Days at the end that it is tried on, not learnt from.")] = 7,
    out: Annotated[Path | None, typer.Option(help="Write what was learnt as tables (JSON).")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn to foretell waits from the centre's own; say how good that is on the last days, beside the formula."""
    with _said():
        from centrala.workforce import predict
        from centrala.workforce.errors import TooShort
        from centrala.workforce.own import own_waits, visits

        known = visits(data, timezone, tenant=tenant)
        last = sorted({one.at.date() for one in known})[-max(tried, 1) :]
        early = [one for one in known if one.at.date() < last[0]]
        if not early:
            raise TooShort(f"waits: all contacts are of the last {tried} days; ask to try it on fewer")
        learnt = own_waits(early)
        model = predict.learn_waits(learnt)
        found = predict.judge(
            model, own_waits([one for one in known if one.at.date() >= last[0]], learnt.kinds)
        )
        if out is not None:
            out.write_text(json.dumps(model.as_tables()) + "\n", encoding="utf-8")
    better = found.error < found.by_formula
    if as_json:
        shown = {
            "learnt_from": model.waits, "tried_on": found.waits, "error": found.error, "by_formula": found.by_formula,
            "by_last_wait": found.by_last, "covered": {str(key): one for key, one in found.below.items()},
            "better_than_formula": better,
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    Console().print(
        f"{found.waits:,} waits foretold from {model.waits:,} others: {found.error:.1f} s off on average, "
        f"the formula {found.by_formula:.1f} s, the last one's wait {found.by_last:.1f} s; "
        f"{found.below[0.9]:.0%} were within the 90 % quantile."
    )


@app.command()
def skills(
    file: Annotated[
        Path, typer.Argument(help="YAML or JSON with types of calls and groups of agents; see the reference.")
    ],
    seed: Annotated[int, typer.Option(help="Of the simulated callers.")] = 1,
    seconds: Annotated[float, typer.Option(help="Time to search.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """The cheapest numbers of agents by group at which every type of calls meets its target."""
    with _said():
        from centrala.workforce._skills_files import read_skills
        from centrala.workforce.skills import staff_skills

        plan = staff_skills(**read_skills(file), seed=seed, seconds=seconds)
    rows = {**plan.types, "all": plan.overall}
    if as_json:
        shown = {
            "agents": plan.agents, "cost": plan.cost, "bound": plan.bound, "gap": plan.gap,
            "certificate": plan.certificate, "proven_bound": plan.bounds.proven, "confirmed": plan.confirmed,
            "types": {
                name: {
                    what: {"mean": _number(one.mean), "half": _number(one.half)}
                    for what in ("service_level", "p_abandon", "p_wait", "mean_wait")
                    for one in (getattr(row, what),)
                }
                | {"met": row.met, "sure": row.sure}
                for name, row in rows.items()
            },
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    by = "all that is cheaper was tried" if plan.certificate == "tried" else "if pooling never harms"
    table = Table(
        title=f"{sum(plan.agents.values())} agents cost {plan.cost:g}; at least {plan.bound:g}, {by} "
        f"({plan.bounds.proven:g} whatever the routing)"
    )
    for heading in ("calls", "in time", "give up", "wait s", "target"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        asked = (
            "–"
            if math.isinf(row.slack)
            else ("met" if row.met else "missed") + ("" if row.sure else ", closely")
        )
        table.add_row(
            name,
            f"{row.service_level.mean:.1%} ± {row.service_level.half:.1%}",
            f"{row.p_abandon.mean:.1%} ± {row.p_abandon.half:.1%}",
            f"{row.mean_wait.mean:.1f} ± {row.mean_wait.half:.1f}",
            asked,
        )
    Console().print(", ".join(f"{count} {name}" for name, count in plan.agents.items() if count))
    Console().print(table)


@app.command()
def hiring(
    file: Annotated[
        Path, typer.Argument(help="YAML or JSON with roles, demand and present heads; see the reference.")
    ],
    seconds: Annotated[float, typer.Option(help="Time to search.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """How many to hire and to train in which period, at the least cost."""
    with _said():
        from dataclasses import asdict

        from centrala.workforce._skills_files import read_people
        from centrala.workforce.people import plan_people

        plan = plan_people(**read_people(file), seconds=seconds)
    if as_json:
        shown = asdict(plan) | {
            "trained": [
                {"before": before, "after": after, "begin": begin}
                for (before, after), begin in plan.trained.items()
            ],
            "cost": plan.cost,
            "gap": _number(plan.gap),
        }
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    parts = ", ".join(f"{name} {cost:,.0f}" for name, cost in plan.costs.items() if cost)
    table = Table(title=f"costs {plan.cost:,.0f}: {parts}; leavers cost {plan.turnover_cost:,.0f} to replace")
    table.add_column("period", justify="right")
    for name in plan.hires:
        for heading in ("hire", "heads", "in training", "full agents", "leave"):
            table.add_column(f"{name}: {heading}", justify="right")
    for before, after in plan.trained:
        table.add_column(f"{before} → {after}", justify="right")
    for name in plan.short:
        table.add_column(f"{name}: short", justify="right")
    for t in range(len(plan.spare)):
        cells = [str(t + 1)]
        for name in plan.hires:
            cells.append(str(plan.hires[name][t]))
            lists = plan.heads, plan.in_training, plan.productive, plan.leavers
            cells += [f"{values[name][t]:.1f}" for values in lists]
        cells += [str(begin[t]) for begin in plan.trained.values()]
        cells += [f"{missing[t]:.1f}" if missing[t] > 0.05 else "–" for missing in plan.short.values()]
        table.add_row(*cells)
    Console().print(table)


@app.command()
def roster(
    file: Annotated[
        Path, typer.Argument(help="JSON with shifts, agents, rules and demand; see the reference, workforce.")
    ],
    demand: Annotated[
        Path | None,
        typer.Option(help="CSV with the columns start, agents, perhaps group, instead of the JSON's."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Seconds to look for a better one.")] = 60.0,
    gap: Annotated[
        float, typer.Option(help="Good enough: 0.005 ends half a per cent from the proven bound.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the shifts as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who works when, breaks and groups included, and how far from the best that is at most."""
    with _said():
        from centrala.workforce.roster.checker import check, cover_of
        from centrala.workforce.roster.reading import read_problem
        from centrala.workforce.roster.solver import solve

        problem = read_problem(file, demand)
        made = solve(problem, seconds, gap=gap, seed=seed)
        broken = check(problem, made)
        rows = made.rows(problem)
        cover = cover_of(problem, made.duties)
        if out is not None and rows:
            _write(out, rows)
    hours = problem.minutes / 60
    short = float((problem.demand - cover).clip(0).sum()) * hours
    spare = float((cover - problem.demand).clip(0).sum()) * hours
    if as_json:
        shown = {
            "cost": made.cost, "bound": made.bound, "gap": made.gap, "gap_of_rest": made.gap_of_rest,
            "parts": dict(made.parts), "short_hours": short, "spare_hours": spare, "seconds": made.seconds,
            "broken": [str(one) for one in broken], "shifts": rows,
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    table = Table(
        title=f"{len(rows):,} shifts of {len(problem.agents)} agents, {made.gap:.2%} from the best at most"
    )
    for heading in ("day", "shifts", "needed h", "short h", "spare h"):
        table.add_column(heading, justify="right")
    step = problem.per_day
    for day in range(problem.days):
        part = slice(day * step, (day + 1) * step)
        need, there = problem.demand[:, part], cover[:, part]
        table.add_row(
            f"{problem.day(day):%a %Y-%m-%d}",
            str(sum(1 for one in made.duties if one.day == day)),
            f"{need.sum() * hours:,.1f}",
            f"{(need - there).clip(0).sum() * hours:,.1f}",
            f"{(there - need).clip(0).sum() * hours:,.1f}",
        )
    Console().print(table)
    parts = ", ".join(f"{name} {value:,.1f}" for name, value in made.parts.items())
    Console().print(f"· cost {made.cost:,.1f} (bound {made.bound:,.1f}): {parts}")
    Console().print(f"· {made.gap_of_rest:.2%} without the {made.constant:,.1f} that every roster pays")
    for one in broken:
        Console().print(f"· {one}")


def _figures(row: Mapping[str, Any]) -> list[str]:
    shown = {"service_level": "{:.1%}", "abandoned": "{:.1%}", "mean_wait": "{:.1f}", "occupancy": "{:.0%}"}
    return [form.format(row[name]) if name in row else "–" for name, form in shown.items()]


def _band(totals: Any, row: int) -> dict[str, float]:
    return {} if totals is None else {"low": float(totals[row, 0]), "high": float(totals[row, -1])}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{option} {text}: that is no day like 2026-12-25") from None


def _special(text: str) -> tuple[date, str | float]:
    day, _, kind = text.partition("=")
    if not kind:
        raise ValueError(f"--special {text}: say the kind or the factor, 2026-12-24=eve or 2026-12-24=1.4")
    try:
        return _day(day, "--special"), float(kind)
    except ValueError:
        return _day(day, "--special"), kind


def _one_of(name: str, option: str) -> Any:
    allowed = {"--measure": ("calls", "seconds", "share"), "--gaps": ("refuse", "zero", "unknown")}[option]
    if name not in allowed:
        raise ValueError(f"{option} {name}: it is one of {', '.join(allowed)}")
    return name


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        sheet = csv.DictWriter(file, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(
            {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()}
            for row in rows
        )


def _waits(path: Path) -> tuple[list[float], list[bool], list[str]]:
    import csv

    waits, gone, kinds = [], [], []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if not {"wait", "abandoned"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{path}: needs the columns wait and abandoned")
        for number, row in enumerate(rows, 2):
            try:
                waits.append(float(row["wait"]))
                gone.append(
                    {"0": False, "1": True, "false": False, "true": True}[row["abandoned"].strip().lower()]
                )
            except (KeyError, ValueError):
                raise ValueError(
                    f"{path}, line {number}: {row['wait']!r}, {row['abandoned']!r} are no seconds and 0 or 1"
                ) from None
            kinds.append(row.get("kind") or "")
    return waits, gone, kinds


def _definition(name: str) -> Any:
    return name.upper()


def _method(name: str) -> Any:
    return name.replace("-", "_")


@contextmanager
def _said() -> Iterator[None]:
    """What can't be answered is one sentence and exit status 2."""
    from centrala.ledger.errors import DataFolderError, LedgerUnavailable

    try:
        yield
    except (ValueError, ImportError, OSError, DataFolderError, LedgerUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
