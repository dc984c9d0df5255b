"""Make a roster, and prove how far from the best it can be at most.

    roster = solve(problem, seconds=60)
    roster.duties, roster.cost, roster.bound, roster.gap


wo threads run side by side: `Proof` mixes lines and looks for prices that prove a bound; `Search` looks for rosters,
first alone, then drawn to what the proof has found: its prices and its cover, which agents who are whole can
nearly have.
"""

import math
from collections.abc import Callable
from datetime import date
from functools import cache
from threading import Thread
from time import perf_counter
from typing import Any

import numpy as np

from centrala.workforce.checks import one_positive, share
from centrala.workforce.checks import whole as whole_number
from centrala.workforce.roster import _bound, _search
from centrala.workforce.roster._grid import Grid, grid_of
from centrala.workforce.roster._line import FAR
from centrala.workforce.roster._state import Guide, Mixes, Room, State, duties_of, state_of
from centrala.workforce.roster.checker import cost_of
from centrala.workforce.roster.model import Agent, Break, NoRoster, Problem, Roster, Shift

CHUNK = 20
"Agents between two looks at the clock."
FEW = 80
"Agents up to which a house is searched by kicks, not by following the proof."
STEPS = 20_000
"Single shifts looked at between two looks at the clock."


class Timer:
    """How much of the time is over, from 0 to 1."""

    def __init__(self, seconds: float) -> None:
        self._began = perf_counter()
        self._seconds = seconds
        self.stopped = False

    def share(self) -> float:
        return 1.0 if self.stopped else min(1.0, (perf_counter() - self._began) / self._seconds)

    def seconds(self) -> float:
        return perf_counter() - self._began


def solve(problem: Problem, seconds: float = 60.0, *, gap: float = 0.0, seed: int = 1) -> Roster:
    """The best roster found within `seconds`, or as soon as its gap is at most `gap`, with its proven bound.

    No rule that `check` looks at is ever broken. The time doesn't cut the first pass over all agents. Raises
    NoRoster with the rules that collide; BadInput, NotModelled.
    """
    limit = one_positive("seconds", seconds)
    enough = float(share("gap", gap))
    _compile()
    timer = Timer(limit)
    grid = grid_of(problem)
    stuck = without_line(grid)
    if stuck:
        from centrala.workforce.roster.collide import collisions

        raise NoRoster(collisions(problem, stuck))
    whole_number("seed", seed, 0)
    proof = Proof(grid, seed)
    search = Search(grid, seed, proof)
    # Whatever the time: some bound, at prices that an hour is usually worth.
    proof.prove(np.broadcast_to(-problem.costs.paid_hour * grid.weight, grid.demand.shape), lambda: False)

    def over() -> bool:
        if search.kept is not None and search.best - proof.bound <= (enough + 1e-9) * search.best:
            timer.stopped = True
        return timer.share() >= 1.0

    helper = Thread(target=proof.run, args=(timer, over), daemon=True)
    helper.start()
    try:
        search.run(timer, over)
    finally:
        timer.stopped = True
        helper.join()
    if proof.error is not None:
        raise proof.error
    return search.roster(proof.bound, timer.seconds())


@cache
def _compile() -> None:
    """The kernels are compiled (or loaded) before the clock runs: once in a process, some 20 s the very first
    time."""
    shift = Shift("any", 480, (480,), (Break(15, 120, 240), Break(30, 300, 360)))
    agents = tuple(Agent(name, ("a",), 40.0) for name in ("one", "other"))
    demand = np.ones((1, 7 * 48))
    grid = grid_of(Problem(date(2026, 1, 5), 1, 30, ("a",), demand, (shift,), agents))
    without_line(grid)
    proof = Proof(grid, 0)
    timer = Timer(60.0)
    turns = iter([False] * 6)
    proof._run(timer, lambda: next(turns, True))
    search = Search(grid, 0, proof)
    state = State(grid)
    search.sweep(state, 1.0, lambda: False)
    search.sweep(state, 0.0, lambda: False, Guide(np.zeros_like(state.cover), state.cover.copy()), 0.1)
    search.room.gains(0.0, state)
    search.room.polish(10, 0.1, 1, state)
    state_of(grid, duties_of(grid, state))
    search.cost(state)


def without_line(grid: Grid) -> list[int]:
    """Agents for whom there is no line that keeps their rules."""
    room = Room(grid)
    price = np.zeros_like(grid.demand)
    covered = np.zeros_like(price)
    everybody = np.arange(len(grid.problem.agents))
    if room.lines(everybody, price, covered) < FAR:
        return []
    return [int(a) for a in everybody if room.lines(np.array([a]), price, covered) >= FAR]


def width_of(grid: Grid) -> float:
    """Kinks are first rounded off over so many agents."""
    return max(1.0, 0.25 * float(grid.demand.max()))


class Proof:
    """Looks for a bound, by a mix of lines for each agent."""

    def __init__(self, grid: Grid, seed: int) -> None:
        self.grid = grid
        self.room = Room(grid)
        self.bound = -math.inf
        self.guide: Guide | None = None
        "Prices and cover, once they are worth following."
        self.error: Exception | None = None
        self.log: list[tuple[float, float, float]] = []
        self._draw = np.random.default_rng(seed + 1)
        # Who serves the same stands together: what options bring is looked up once for them.
        self._alike = np.lexsort(grid.served.T)

    def run(self, timer: Timer, over: Callable[[], bool]) -> None:
        try:
            self._run(timer, over)
        except Exception as error:  # told by the thread that waits for this one
            self.error = error
            timer.stopped = True

    def _run(self, timer: Timer, over: Callable[[], bool]) -> None:
        mixes = Mixes(self.grid)
        agents = len(self.grid.problem.agents)
        widest, turn = width_of(self.grid), 0
        mean: Any = None
        while True:
            done = timer.share() / 0.3
            wide = max(1.0, widest) ** (1.0 - done) if done < 1 else 0.5 ** ((timer.share() - 0.3) / 0.7)
            self.room.balance(wide, mixes)
            order = self._draw.permutation(agents)
            price = np.zeros_like(mixes.price)
            looks = 0
            for at in range(0, agents, CHUNK):
                self.room.mix(order[at : at + CHUNK], True, wide, mixes)
                price += mixes.price
                looks += 1
                if over():
                    return
            for _ in range(8):
                self.room.balance(wide, mixes)
                self.room.mix(self._draw.permutation(agents), False, wide, mixes)
            # Prices swing around the right ones: their mean is better than the last.
            price /= looks
            new = 1.0 if mean is None or done < 0.8 else max(0.12, 0.6 * (1.0 - timer.share()))
            mean = price if new == 1.0 else (1.0 - new) * mean + new * price
            turn += 1
            if done > 1.1 or turn > 60:
                self.guide = Guide(mean, mixes.cover.copy())
            if turn % 3 == 0 or turn == 1:
                self.prove(mean, over)
                self.log.append((timer.seconds(), wide, self.bound))
            if over():
                return

    def prove(self, price: Any, over: Callable[[], bool]) -> None:
        """The bound at these prices."""
        g = self.grid
        price = price.copy()
        total = float(_bound.floor_of(price, g.demand, g.weight, self.room.prices))
        covered = np.zeros_like(price)
        for at in range(0, len(self._alike), CHUNK):
            total += self.room.lines(self._alike[at : at + CHUNK], price, covered)
            if over():
                return
        self.bound = max(self.bound, total)


class Search:
    """Looks for rosters."""

    def __init__(self, grid: Grid, seed: int, proof: Proof | None = None) -> None:
        self.grid = grid
        self.room = Room(grid)
        self.best = math.inf
        self.kept: State | None = None
        self.log: list[tuple[float, float, float]] = []
        self._proof = proof
        self._draw = np.random.default_rng(seed)
        costs = grid.problem.costs
        # What an agent more or less changes in an interval, at most: warmth and pull are measured by it.
        self._scale = max(1e-6, (costs.short_hour + costs.spare_hour) / 3.5)

    def run(self, timer: Timer, over: Callable[[], bool]) -> None:
        """From nothing, until it is over."""
        state = State(self.grid)
        self._anneal(state, width_of(self.grid), timer, 0.15, over)
        while not over():
            assert self.kept is not None
            guide = None if self._proof is None else self._proof.guide
            if len(self.grid.problem.agents) <= FEW and (guide is not None or timer.share() > 0.5):
                self._kick(guide, over)
                continue
            if timer.share() > 0.88:
                state = self.kept.copy()
                self._polish(state, 0.1, timer, timer.share() + 0.04, over)
                continue
            if guide is None:
                state = self.kept.copy()
                self._anneal(state, 3.0, timer, timer.share() + 0.08, over)
            else:
                self._follow(state, timer, timer.share() + 0.17, over)
                self._polish(state, 0.3, timer, min(0.93, timer.share() + 0.05), over)

    def _kick(self, guide: Guide | None, over: Callable[[], bool]) -> None:
        """Some agents are led astray by random prices and find their way back one by one; what is no worse
        stays. Ways out that sweeps don't see, for a house so small that this is quick."""
        assert self.kept is not None
        g, draw = self.grid, self._draw
        agents = len(g.problem.agents)
        state = self.kept.copy()
        kept = self.best
        costs = g.problem.costs
        for _ in range(200):
            if over():
                return
            some = draw.choice(agents, min(agents, int(draw.integers(1, 9))), replace=False)
            price = draw.uniform(-costs.short_hour, costs.spare_hour, g.demand.shape) * g.weight
            if guide is not None and draw.random() < 0.7:
                price = guide.price + draw.uniform(0, 0.5) * (price - guide.price)
            astray = Guide(price, state.cover.copy())
            pull = self._scale * float(draw.choice([1e-6, 0.05, 0.5]))
            before = state.copy()
            self.room.gains(0.0, state, astray, pull)
            self.room.settle(some, 0.0, state, astray, pull)
            self.room.gains(0.0, state)
            for _ in range(2):
                self.room.settle(draw.permutation(some), 0.0, state)
            if draw.random() < 0.2:
                self.room.settle(draw.permutation(agents), 0.0, state)
            cost = self.cost(state)
            if cost <= kept + 1e-9 or draw.random() < math.exp((kept - cost) / (0.02 * self._scale)):
                kept = cost
                self.keep(state)
            else:
                state = before

    def again(self, state: State, over: Callable[[], bool]) -> None:
        """From a roster that there is, changing little."""
        for wide in (0.0, 1.0, 0.0):
            self.sweep(state, wide, lambda: False)
            self.keep(state)
        while not over():
            assert self.kept is not None
            state = self.kept.copy()
            before = self.best
            for wide in (2.0, 1.0, 0.5, 0.0, 0.0):
                self.sweep(state, wide, over)
                self.keep(state)
            if self.best >= before - 1e-6:
                return

    def _anneal(
        self, state: State, wide: float, timer: Timer, until: float, over: Callable[[], bool]
    ) -> None:
        """Sweeps with kinks rounded off less and less."""
        begin = timer.share()
        while not (over() and self.kept is not None):
            done = (timer.share() - begin) / max(1e-9, until - begin)
            if done >= 1.0:
                break
            self.sweep(state, wide * (0.4 / wide) ** done, over)
            if self.kept is None:
                self.keep(state)
        self._finish(state, over)
        self.log.append((timer.seconds(), 0.0, self.best))

    def _follow(self, state: State, timer: Timer, until: float, over: Callable[[], bool]) -> None:
        """Sweeps at the prices of the proof, drawn to its cover more and more."""
        begin = timer.share()
        assert self._proof is not None
        while not over():
            done = (timer.share() - begin) / max(1e-9, until - begin)
            guide = self._proof.guide
            if done >= 1.0 or guide is None:
                break
            self.sweep(state, 0.0, over, guide, self._scale * 0.005 * 200**done)
        self._finish(state, over)
        self.log.append((timer.seconds(), 1.0, self.cost(state)))

    def _finish(self, state: State, over: Callable[[], bool]) -> None:
        for wide in (0.5, 0.3, 0.0, 0.0):
            self.sweep(state, wide, over)
        self.keep(state)

    def _polish(
        self, state: State, warm: float, timer: Timer, until: float, over: Callable[[], bool]
    ) -> None:
        """Single shifts, colder and colder."""
        begin = timer.share()
        self.room.gains(0.0, state)
        while not over():
            done = (timer.share() - begin) / max(1e-9, until - begin)
            if done >= 1.0:
                break
            heat = warm * self._scale * self.grid.problem.minutes / 30 * 0.05**done
            self.room.polish(STEPS, heat, int(self._draw.integers(1 << 30)), state)
        self.keep(state)
        self.sweep(state, 0.0, over)
        self.keep(state)
        self.log.append((timer.seconds(), 2.0, self.cost(state)))

    def sweep(
        self,
        state: State,
        wide: float,
        over: Callable[[], bool],
        guide: Guide | None = None,
        pull: float = 0.0,
    ) -> float:
        """Every agent once, in any order. Returns what was won by the measure of the sweep."""
        self.room.gains(wide, state, guide, pull)
        order = self._draw.permutation(len(self.grid.problem.agents))
        won = 0.0
        for at in range(0, len(order), CHUNK):
            won += self.room.settle(order[at : at + CHUNK], wide, state, guide, pull)
            if self.kept is not None and over():
                break
        return won

    def cost(self, state: State) -> float:
        g = self.grid
        rows, days = np.nonzero(state.choice >= 0)
        own = float(g.cost[rows, days, state.choice[rows, days]].sum())
        return own + float(_search.cover_cost(state.cover, g.demand, g.weight, self.room.prices))

    def keep(self, state: State) -> bool:
        cost = self.cost(state)
        if cost >= self.best - 1e-9:
            return False
        self.kept = state.copy()
        self.best = cost
        return True

    def roster(self, bound: float, seconds: float) -> Roster:
        assert self.kept is not None
        duties = duties_of(self.grid, self.kept)
        parts = cost_of(self.grid.problem, duties)
        cost = sum(parts.values())
        return Roster(duties, cost, min(bound, cost), parts, self.grid.constant, seconds)
