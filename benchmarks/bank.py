"""Estimates of the wait in a real call centre: two months of calls, in the order in which everything happened.

`python -m benchmarks.bank FOLDER`, where FOLDER has calls_1999_january.csv.gz and calls_1999_february.csv.gz of the
“Anonymous Bank” (Guedj and Mandelbaum, Technion 2000; free for use, with acknowledgement). Nothing of it is known in
advance: rates and agents are learned from the calls as they come. An agent counts as serving from the first answer
until ten minutes after the last; important callers go in 90 s ahead of their time, as in that centre.

The truth is the wait of those who were answered. Of those who hung up it is when the first caller behind them was
answered: a little late, as they would have been before that.
"""

import csv
import gzip
import math
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import heapify, heappop
from pathlib import Path
from typing import Any

from centrala.core import estimate as es

FILES = ("calls_1999_january.csv.gz", "calls_1999_february.csv.gz")
REGULAR = ("PS", "NE", "NW", "PE")
CREDIT = 90.0
STAYS = 600.0
LONGEST = 7200.0
"Seconds; rows with longer waits or talks are mistakes of the clock."
LEARNING = 500
"Callers who waited, before which nothing is counted."


@dataclass(eq=False, slots=True)
class Call:
    at: float
    "Came to the queue, in seconds since the year began."
    ended: float
    "Was answered, or hung up."
    done: float
    "The talk was over; 0 for who hung up."
    agent: str
    rank: float
    waited: bool
    guesses: dict[str, float] = field(default_factory=dict)
    median: float = 0.0

    @property
    def answered(self) -> bool:
        return self.agent != ""


def calls(folder: Path, types: Sequence[str]) -> list[Call]:
    found: list[Call] = []
    for name in FILES:
        with gzip.open(folder / name, "rt") as file:
            found.extend(filter(None, (_call(row) for row in csv.DictReader(file) if row["type"] in types)))
    return sorted(found, key=lambda one: one.at)


def _call(row: dict[str, str]) -> Call | None:
    day = (date.fromisoformat(row["date"]) - date(1999, 1, 1)).days * 86_400.0
    came, wait = _seconds(row["q_start"]), float(row["q_time"])
    talk = float(row["ser_time"])
    waited = came > 0 and wait > 0
    begins = day + (came + wait if waited else _seconds(row["ser_start"]))
    rank = -CREDIT if row["priority"] == "2" else 0.0
    if row["outcome"] == "AGENT" and 0 < talk <= LONGEST and wait <= LONGEST and row["server"] != "NO_SERVER":
        at = day + came if waited else begins
        return Call(at, begins, begins + talk, row["server"], at + rank, waited)
    if row["outcome"] == "HANG" and waited and wait <= LONGEST:
        return Call(day + came, begins, 0.0, "", day + came + rank, True)
    return None


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0 + int(seconds)


def replay(all_calls: Sequence[Call]) -> es.Rates:
    """Go through what happened, and let every method guess when somebody comes who has to wait."""
    happens: list[tuple[float, int, int, str, Call]] = []
    for number, call in enumerate(all_calls):
        # At one moment: talks end, then callers who need not wait come and are answered, then others.
        happens.append((call.at, 3 if call.waited else 1, number, "came", call))
        happens.append((call.ended, 2, number, "ended", call))
        if call.answered:
            happens.append((call.done, 0, number, "done", call))
    heapify(happens)
    rates = es.Rates()
    here: dict[str, float] = {}
    "Agent → until when they count as serving."
    line: dict[Call, None] = {}
    last = asterisk = 0.0
    while happens:
        at, _, _, what, call = heappop(happens)
        for agent in [agent for agent, until in here.items() if until < at]:
            del here[agent]
        if rates.agents != len(here):
            rates = es.staffed(rates, at, len(here))
        if what == "came":
            if call.waited:
                ahead = sum(1 for other in line if other.rank < call.rank)
                head = next((at - other.at for other in line), 0.0)
                own = es.estimate(rates, ahead, shared=True, head=head) or es.Estimate(head, 0.0, "head")
                alone = es.estimate(rates, ahead, head=head) or own
                call.median = own.median
                call.guesses = {
                    "own turnover": own.seconds,
                    "own rates": alone.seconds,
                    "HOL": head,
                    "LES": last,
                    "Asterisk": asterisk,
                }
                line[call] = None
            rates = es.queued(rates, at)
        elif what == "done":
            rates = es.freed(rates, at)
            here[call.agent] = at + STAYS
        else:
            line.pop(call, None)
            if call.answered:
                wait = at - call.at
                rates = es.taken(rates, at, wait)
                here[call.agent] = max(here.get(call.agent, 0.0), call.done + STAYS)
                asterisk = (3 * asterisk + wait) / 4
                last = wait if call.waited else last
            else:
                rates = es.gave_up(rates, at)
    return rates


def waits(all_calls: Sequence[Call]) -> Iterator[tuple[Call, float]]:
    answers = sorted((call.ended, call.rank) for call in all_calls if call.answered and call.waited)
    times = [at for at, _ in answers]
    for call in all_calls:
        if not call.waited:
            continue
        if call.answered:
            yield call, call.ended - call.at
            continue
        place = bisect_left(times, call.ended)
        while place < len(answers) and times[place] < call.ended + 1800:
            if answers[place][1] >= call.rank:
                yield call, times[place] - call.at
                break
            place += 1


def run(folder: str = "") -> dict[str, Any]:
    if not folder:
        what = "needs the calls of the Anonymous Bank: python -m benchmarks.bank FOLDER"
        return {"figures": [{"what": what, "asked": "", "measured": "skipped", "ok": None}]}
    figures: list[dict[str, Any]] = []
    for title, types in (("all regular kinds", REGULAR), ("regular questions alone", ("PS",))):
        everybody = calls(Path(folder), types)
        rates = replay(everybody)
        known = list(waits(everybody))[LEARNING:]
        for who, some in (
            ("answered", [one for one in known if one[0].answered]),
            ("all who waited", known),
        ):
            errors = {name: [call.guesses[name] - wait for call, wait in some] for name in some[0][0].guesses}
            roots = {name: math.sqrt(sum(x * x for x in one) / len(one)) for name, one in errors.items()}
            shown = ", ".join(
                f"{name} {roots[name]:.0f} {sum(one) / len(one):+.0f} s" for name, one in errors.items()
            )
            below = sum(wait <= call.median for call, wait in some) / len(some)
            mean = sum(wait for _, wait in some) / len(some)
            figures.append(
                {
                    "what": f"{title}, {who}: {len(some):,}, mean wait {mean:.0f} s; error and bias",
                    "asked": "own turnover the least",
                    "measured": f"{shown}; {below:.0%} wait no longer than the median",
                    "ok": roots["own turnover"] <= min(roots["HOL"], roots["LES"], roots["Asterisk"]),
                }
            )
        assert rates.service is not None
        learned = f"{1 / rates.service:.0f} s and {1 / rates.patience:.0f} s"
        figures.append({"what": f"{title}: handling and patience learned", "measured": learned, "ok": None})
    return {"figures": figures}


if __name__ == "__main__":
    for figure in run(*sys.argv[1:2])["figures"]:
        print(figure["what"], "|", figure["measured"])
