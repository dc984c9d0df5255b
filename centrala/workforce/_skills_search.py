"""The search: cuts from simulation until every target is met, then better neighbours, then what is cheaper one by one.

The cuts are those of Atlason, Epelman and Henderson (2008) as Cezik and L'Ecuyer (2008) use them for several skills:
at a staffing that fails, the simulation with one agent more in each group gives a slope, and whatever stays below the
target along that slope is cut off. On a scale on which agents count about alike (`Bench.score`) the slopes hold
further than on the service level itself; still they are no proof, so that the neighbours are looked at afterwards.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from centrala.workforce._skills_bench import Bench, Clock, Counts, as_counts
from centrala.workforce._skills_bound import Array, Rows, least_cost
from centrala.workforce.checks import Floats

SLOPE_RUNS = 8
MOST_CUTS = 40
LEAST_SLOPE = 1e-3
ROUGH = 2e-3
"Gap to which the program of the cuts is solved: the neighbours come later."
MOMENT = 3.0
NEIGHBOURS = 12
"Candidates tried around the best staffing with the slopes known there."
REACH = 6
"Agents moved, added or taken in one step."
HOPE = 0.04
"A candidate may look so much too weak by its slopes and is tried still."
MOST_LISTED = 4000
"Cheaper staffings that are simulated one by one."


class Search:
    """One search; `best` is the cheapest staffing so far that meets every target on the bench."""

    def __init__(self, bench: Bench, rows: Rows, most: Array, clock: Clock) -> None:
        self.bench, self.rows, self.clock = bench, rows, clock
        self.slope_runs = SLOPE_RUNS
        self.design = bench.design
        self.most = most
        self.least = self.design.least
        self.best: Counts | None = None
        self.banned: set[Counts] = set()
        "What met the targets on the bench but not with other callers."

    def again(self) -> None:
        """Neighbours once more, with slopes that are known better."""
        self.slope_runs = 2 * SLOPE_RUNS
        self.improve()
        self.slope_runs = SLOPE_RUNS

    def climb(self, missed: Array) -> bool:
        """Up from the best, which other callers have refuted; from now on the limits that it missed with them must
        be kept by a standard error more."""
        assert self.best is not None
        self.banned.add(self.best)
        self.bench.margin += missed
        return self._climb(self.best)

    def cost(self, counts: Counts) -> float:
        return float(self.design.cost @ np.array(counts))

    def meets(self, counts: Counts) -> bool:
        return counts not in self.banned and self.bench.meets(counts)

    def first(self) -> bool:
        """By cuts to a staffing that meets all; False where even the most agents don't."""
        rows: list[Floats] = list(self.rows.who)
        needs: list[float] = list(self.rows.pooled_need)
        at: Counts | None = None
        for number in range(MOST_CUTS):
            if number and self.clock.left() < 0:
                break
            _, found = least_cost(
                np.array(rows),
                np.array(needs),
                self.design.cost,
                self.least,
                self.most,
                self._moment(),
                ROUGH,
            )
            if found is None:
                break
            at = as_counts(found)
            if self.meets(at):
                self.best = at
                return True
            for row, need in self.cuts(at):
                rows.append(row)
                needs.append(need)
        return self._climb(at if at is not None else as_counts(self.most))

    def cuts(self, at: Counts) -> list[tuple[Floats, float]]:
        """Rows that a staffing which fails does not keep: by its slopes, or where those are flat an agent more."""
        _, slopes = self._slopes(at, range(len(at)), 1)
        score = self._failing(at)
        found: list[tuple[Floats, float]] = []
        for index, limit in enumerate(self.design.limits):
            if score[index] >= 0:
                continue
            slope = slopes[:, index]
            if slope.max() >= LEAST_SLOPE:
                found.append((slope, float(slope @ np.array(at)) - float(score[index])))
                continue
            helps = np.ones(len(at))
            if limit.row < len(self.design.types):
                helps = self.design.serves[:, limit.row].astype(float)
            found.append((helps, float(helps @ np.array(at)) + 1))
        return found

    def _climb(self, at: Counts) -> bool:
        """Agent by agent, each time the one who helps most for the money."""
        hasty = 0
        while not self.meets(at):
            able = [g for g in range(len(at)) if at[g] < self.most[g]]
            if not able:
                return False
            if self.clock.over():
                # No time for slopes: some more of those that there are, later of all.
                hasty += 1
                at = tuple(
                    min(int(most), n + (1 + n // 20 if n or hasty > 8 else 0))
                    for n, most in zip(at, self.most, strict=True)
                )
                continue
            score, slopes = self._slopes(at, able, 1)
            lacking = np.maximum(-score, 0) if (score < 0).any() else np.full(score.size, 1.0)
            gain = np.minimum(slopes, np.maximum(lacking, HOPE)) @ (lacking > 0) / self.design.cost
            chosen = max(able, key=lambda g: (gain[g], -self.design.cost[g]))
            steps = max(1, sum(at) // 50) if lacking.max() > 0.5 else 1
            at = _moved(at, chosen, min(steps, int(self.most[chosen]) - at[chosen]))
        self.best = at
        return True

    def improve(self) -> None:
        """Cheaper neighbours of the best, by the slopes there, until none of them meets the targets."""
        while self.best is not None and self.clock.left() > 0:
            better = self._neighbour(self.best)
            if better is None:
                return
            self.best = better

    def _neighbour(self, at: Counts) -> Counts | None:
        here = np.array(at, float)
        groups = here.size
        fewer = [g for g in range(groups) if at[g] > self.least[g]]
        if not fewer:
            return None
        score, up = self._slopes(at, range(groups), 1)
        _, down = self._slopes(at, fewer, -1)
        cuts: list[tuple[Floats, float]] = []
        slope = (up + down) / 2
        for g in range(groups):
            if g not in fewer:
                slope[g] = up[g]
        # Cheaper by more than the solver's tolerance.
        saving = max(1e-5 * self.cost(at), 1e-4 * float(self.design.cost.min()), 1e-5)
        for _ in range(NEIGHBOURS):
            if self.clock.left() < 0:
                return None
            # Numbers added and taken, apart, for their slopes differ.
            rows = [np.concatenate((who, -who)) for who in self.rows.who]
            needs = list(self.rows.proven_need - self.rows.who @ here)
            for index in range(score.size):
                rows.append(np.concatenate((up[:, index], -down[:, index])))
                needs.append(-float(score[index]) - HOPE)
            for one, need in cuts:
                rows.append(np.concatenate((one, -one)))
                needs.append(need)
            rows.append(-np.concatenate((self.design.cost, -self.design.cost)))
            needs.append(saving)
            rows.append(-np.ones(2 * groups))
            needs.append(-float(REACH))
            _, found = least_cost(
                np.array(rows), np.array(needs), np.concatenate((self.design.cost, -self.design.cost)),
                np.zeros(2 * groups), np.concatenate((self.most - here, here - self.least)), self._moment(), 0.05,
            )  # fmt: skip
            if found is None:
                return None
            there = here + found[:groups] - found[groups:]
            candidate = as_counts(there)
            if self.cost(candidate) >= self.cost(at):
                return None
            if self.meets(candidate):
                return candidate
            failing = self._failing(candidate)
            for index in range(failing.size):
                if failing[index] < 0:
                    cuts.append(
                        (slope[:, index], float(slope[:, index] @ (there - here)) - float(failing[index]))
                    )
                    if slope[:, index].max() < LEAST_SLOPE:
                        return None
        return None

    def _failing(self, at: Counts) -> Floats:
        """Scores of a staffing that does not meet the targets, one of them below 0 at the least."""
        score = self.bench.score(at, max(self.slope_runs, len(self.bench.kept.get(at, ()))))
        if (score >= 0).all():
            score[int(score.argmin())] = -HOPE / 4
        return score

    def _moment(self) -> float:
        """Seconds for one integer program."""
        return min(MOMENT, max(0.1, self.clock.left() / 4))

    def _slopes(self, at: Counts, groups: "range | list[int]", step: int) -> tuple[Floats, Floats]:
        score = self.bench.score(at, self.slope_runs)
        slopes = np.zeros((len(at), score.size))
        for g in groups:
            moved = self.bench.score(_moved(at, g, step), self.slope_runs)
            slopes[g] = np.maximum(0.0, (moved - score) * step)
        return score, slopes

    def exhaust(self) -> bool:
        """Simulate every staffing cheaper than the best to which no agent can be added without its becoming as dear:
        if more agents harm nobody, all that is cheaper fails where these do. True when all were looked at."""
        while self.best is not None:
            listed = self._cheaper(self.cost(self.best) * (1 - 1e-9) - 1e-9)
            if listed is None:
                return False
            better = None
            for candidate in listed:
                if self.clock.left() < 0:
                    return False
                if self.meets(candidate):
                    better = candidate
                    break
            if better is None:
                return True
            self.best = better
            self.improve()
        return False

    def _cheaper(self, below: float) -> list[Counts] | None:
        """Largest staffings that cost at most `below` and keep the proven rows; None where there are too many."""
        found: list[Counts] = []
        for one in _lattice(self.design.cost, self.least, self.most, below, self._fits, 20 * MOST_LISTED):
            if one is None:
                return None
            found.append(one)
            if len(found) > MOST_LISTED:
                return None
        return sorted(found, key=self.cost, reverse=True)

    def _fits(self, counts: Floats) -> bool:
        return bool((self.rows.who @ counts >= self.rows.proven_need - 1e-9).all())


def _lattice(
    cost: Floats, least: Array, most: Array, below: float, fits: Callable[[Floats], bool], steps: int
) -> "Iterator[Counts | None]":
    """Whole points that cost at most `below` and can't grow in any direction; None when it takes too many steps."""
    groups = cost.size
    order = np.argsort(-cost, kind="stable")
    # From here on, what the later groups cost at the least.
    rest = np.concatenate((np.cumsum((cost * least)[order][::-1])[::-1], [0.0]))
    taken = 0
    point = np.zeros(groups)

    def go(depth: int, spent: float) -> "Iterator[Counts | None]":
        nonlocal taken
        taken += 1
        if taken > steps:
            return
        g = int(order[depth])
        room = below - spent - rest[depth + 1]
        top = min(int(most[g]), math.floor(room / cost[g] + 1e-9))
        if top < least[g]:
            return
        if depth == groups - 1:
            point[g] = top
            left = below - spent - top * cost[g]
            if all(point[one] >= most[one] or cost[one] > left + 1e-9 for one in range(groups)) and fits(
                point
            ):
                yield as_counts(point)
            return
        reachable = point.copy()
        for number in range(top, int(least[g]) - 1, -1):
            taken += 1
            point[g] = number
            reachable[:] = point
            for later in order[depth + 1 :]:
                money = below - spent - number * cost[g] - rest[depth + 1] + cost[later] * least[later]
                reachable[later] = min(float(most[later]), math.floor(money / cost[later] + 1e-9))
            if not fits(reachable):
                continue
            yield from go(depth + 1, spent + number * cost[g])
            if taken > steps:
                return

    yield from go(0, 0.0)
    if taken > steps:
        yield None


def _moved(at: Counts, group: int, by: int) -> Counts:
    return (*at[:group], at[group] + by, *at[group + 1 :])
