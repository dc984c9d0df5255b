"""`centrala simulate`: a day in the centre that a file describes, before anybody lives it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from centrala.settings import SettingsError, load
from centrala.sim.draws import Exponential, Lognormal
from centrala.sim.result import Interval, Replications, Result
from centrala.sim.run import replicate
from centrala.sim.scenario import Arrivals, from_tenant


def simulate_command(
    config: Path | str,
    hours: float = 8.0,
    calls_per_hour: float | Mapping[str, float] = 60.0,
    handling: float = 240.0,
    patience: float | None = 120.0,
    agents: int | None = None,
    replications: int = 10,
    seed: int = 1,
    as_json: bool = False,
    tenant: str | None = None,
) -> int:
    """Simulate a centre's file and print what comes out. Returns the exit status: 0, or 2 for wrong input.

    Times in seconds: `handling` is the mean of lognormal conversations (deviation = mean), `patience` the mean
    of exponential patience, None for endless. `calls_per_hour` goes to every queue, or to each queue named.
    """
    try:
        settings = load(config)
        names = list(settings.tenants)
        chosen = settings.tenants[tenant or names[0]] if not tenant or tenant in names else None
        if chosen is None:
            raise ValueError(f"there is no tenant {tenant}; the file has {', '.join(names)}")
        rates = (
            dict(calls_per_hour)
            if isinstance(calls_per_hour, Mapping)
            else dict.fromkeys(chosen.queues, calls_per_hour)
        )
        unknown = sorted(set(rates) - set(chosen.queues))
        if unknown:
            raise ValueError(f"there is no queue {unknown[0]}; the file has {', '.join(chosen.queues)}")
        if replications < 2:
            raise ValueError(f"{replications} replications tell no spread; take 2 or more")
        streams = tuple(
            Arrivals(
                name,
                per_hour=rate,
                handling=Lognormal(handling, handling),
                patience=None if patience is None else Exponential(patience),
            )
            for name, rate in rates.items()
        )
        scenario = from_tenant(chosen, streams, hours=hours, agents=agents)
        runs = replicate(scenario, range(seed, seed + replications))
    except (SettingsError, ValueError, RuntimeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    targets = {name: queue.service_level for name, queue in chosen.queues.items() if name in rates}
    rows = {name: _figures(runs, name, target[1]) for name, target in targets.items()}
    occupancy = runs.interval("occupancy")
    if as_json:
        _print_json(rows, targets, occupancy, hours, replications, seed)
    else:
        _print_table(rows, targets, occupancy, len(scenario.agents), hours, replications)
    return 0


def _figures(runs: Replications, queue: str, within: float) -> dict[str, Interval]:
    def of(figure: str) -> Interval:
        return runs.interval(lambda result: result.of(queue).figures[figure])

    def level(result: Result) -> float:
        return result.of(queue).service_level(within)

    return {
        "offered": of("offered"),
        "service_level": runs.interval(level),
        "abandoned": of("p_abandon"),
        "refused": of("p_refused"),
        "mean_wait": of("mean_wait_answered"),
        "mean_queue": of("mean_queue"),
    }


def _print_json(
    rows: dict[str, dict[str, Interval]],
    targets: dict[str, tuple[float, float]],
    occupancy: Interval,
    hours: float,
    replications: int,
    seed: int,
) -> None:
    def plain(interval: Interval) -> dict[str, float]:
        return {"mean": interval.mean, "half_width_95": interval.half}

    queues = {
        name: {
            "target": {"share": targets[name][0], "within_s": targets[name][1]},
            **{figure: plain(interval) for figure, interval in figures.items()},
        }
        for name, figures in rows.items()
    }
    answer = {"hours": hours, "replications": replications, "seed": seed, "occupancy": plain(occupancy)}
    sys.stdout.write(json.dumps({**answer, "queues": queues}, indent=2) + "\n")


def _print_table(
    rows: dict[str, dict[str, Interval]],
    targets: dict[str, tuple[float, float]],
    occupancy: Interval,
    agents: int,
    hours: float,
    replications: int,
) -> None:
    table = Table(title=f"{hours:g} hours, {agents} agents, mean of {replications} days ± 95 % confidence")
    table.add_column("queue")
    for heading in ("calls", "target", "answered in time", "abandoned", "turned away", "wait s", "waiting"):
        table.add_column(heading, justify="right")
    for name, figures in rows.items():
        share, within = targets[name]
        table.add_row(
            name,
            f"{figures['offered'].mean:.0f}",
            f"{share:.0%} in {within:g} s",
            _percent(figures["service_level"]),
            _percent(figures["abandoned"]),
            _percent(figures["refused"]),
            f"{figures['mean_wait'].mean:.1f} ± {figures['mean_wait'].half:.1f}",
            f"{figures['mean_queue'].mean:.2f}",
        )
    console = Console()
    console.print(table)
    console.print(f"Agents were busy {_percent(occupancy)} of their time.")


def _percent(interval: Interval) -> str:
    return f"{interval.mean:.1%} ± {interval.half:.1%}"
