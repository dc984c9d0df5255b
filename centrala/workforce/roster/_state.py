"""A roster while it is searched for, as arrays, and the room that the kernels work in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrala.workforce.roster import _bound, _search
from centrala.workforce.roster._grid import Grid, Ints
from centrala.workforce.roster._line import FAR
from centrala.workforce.roster.model import Duty, Stretch

# Called with starred tuples, which the type checker can't count.
_lines_of: Any = _bound.lines_of
_mix: Any = _bound.mix
_settle: Any = _search.settle
_all_gains: Any = _search.all_gains


class Room:
    """Room that the kernels work in, one for each thread, and their many arguments."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        costs = grid.problem.costs
        self.prices = np.array([costs.short_hour, costs.deep_hour, costs.deep, costs.spare_hour])
        states = int(np.prod(grid.sizes))
        days = grid.problem.days
        self._work: tuple[Any, ...] = (
            np.full((2, states), FAR), np.zeros((2, states), np.int64), np.zeros((days, states), np.int32),
            np.zeros((days, states), np.int16),
        )  # fmt: skip
        g = grid
        self._shape: tuple[Any, ...] = (
            g.problem.per_day, g.start, g.length, g.kind, g.cell, g.cells, g.classes, g.first, g.breaks,
            g.types, g.shares,
            g.allowed, g.cost, g.least, g.most, g.room, g.served,
        )  # fmt: skip

    def lines(self, order: Ints, price: Any, covered: Any) -> float:
        return float(
            _lines_of(order, price, *self._shape, self.grid.rules, self.grid.sizes, covered, *self._work)
        )

    def mix(self, order: Ints, fresh: bool, wide: float, mixes: "Mixes") -> float:
        g, m = self.grid, mixes
        found: float = _mix(
            order, fresh, wide, *self._shape, g.demand, g.weight, self.prices, g.rules, g.sizes, m.pool,
            m.pools, m.flow,
            m.cover, m.price, m.held_n, m.held_t, m.held_x, m.held_pay, m.held, *self._work,
        )  # fmt: skip
        return found

    def balance(self, wide: float, mixes: "Mixes") -> None:
        g, m = self.grid, mixes
        _bound.balance_all(m.pools, g.demand, g.weight, self.prices, wide, m.flow, m.cover, m.price)

    def settle(
        self, order: Ints, wide: float, state: "State", guide: "Guide | None" = None, pull: float = 0.0
    ) -> float:
        g = self.grid
        drawn: tuple[Any, ...] = (
            (0.0, state.cover, state.cover) if guide is None else (pull, guide.aim, guide.price)
        )
        found: float = _settle(
            order, wide, *drawn, *self._shape, g.demand, g.weight, self.prices, g.rules, g.sizes, state.cover,
            state.gains,
            state.choice, state.pauses, state.groups, *self._work,
        )  # fmt: skip
        return found

    def gains(self, wide: float, state: "State", guide: "Guide | None" = None, pull: float = 0.0) -> None:
        g = self.grid
        drawn: tuple[Any, ...] = (
            (0.0, state.cover, state.cover) if guide is None else (pull, guide.aim, guide.price)
        )
        _all_gains(state.cover, g.demand, g.weight, self.prices, g.shares, wide, *drawn, state.gains)

    def polish(self, steps: int, warm: float, seed: int, state: "State") -> float:
        g = self.grid
        return _search.polish(
            steps, warm, seed, g.problem.per_day, g.start, g.length, g.kind, g.cell, g.cells, g.classes,
            g.breaks, g.types,
            g.shares, g.allowed, g.cost, g.served, g.demand, g.weight, self.prices, bool(g.rules[2]), state.cover,
            state.gains, state.choice, state.pauses, state.groups,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """Prices and a cover to be drawn to: what a mix of lines has."""

    price: Any
    aim: Any


class State:
    """A roster as arrays."""

    def __init__(self, grid: Grid) -> None:
        agents, days = len(grid.problem.agents), grid.problem.days
        self.choice: NDArray[np.int64] = np.full((agents, days), -1)
        self.pauses = np.full((agents, days, grid.breaks.shape[1]), -1, np.int64)
        self.groups = np.full((agents, days, int(grid.length.max())), -1, np.int8)
        self.cover = np.zeros_like(grid.demand)
        self.gains = np.zeros((grid.shares.size, *grid.demand.shape))

    def copy(self) -> "State":
        new = State.__new__(State)
        new.choice, new.pauses, new.groups = self.choice.copy(), self.pauses.copy(), self.groups.copy()
        new.cover, new.gains = self.cover.copy(), self.gains.copy()
        return new


class Mixes:
    """For each agent some lines with weights, and what they cover together."""

    PLACES = 12

    def __init__(self, grid: Grid) -> None:
        agents, k = len(grid.problem.agents), self.PLACES
        self.pools, self.pool = np.unique(grid.served, axis=0, return_inverse=True)
        # The groups of a pool stand first, what is empty last.
        self.pools = -np.sort(-self.pools, axis=1)
        self.pool = self.pool.reshape(-1)
        self.flow = np.zeros((len(self.pools), *grid.demand.shape))
        self.cover = np.zeros_like(grid.demand)
        self.price = np.zeros_like(grid.demand)
        entries = grid.problem.days * int(grid.length.max())
        self.held_n: NDArray[np.int64] = np.full((agents, k), -1)
        self.held_t = np.zeros((agents, k, entries), np.int32)
        self.held_x = np.zeros((agents, k, entries), np.float32)
        self.held_pay = np.zeros((agents, k))
        self.held = np.zeros((agents, k))


def state_of(grid: Grid, duties: Iterable[Duty]) -> Any:
    """A roster as the search has it. What isn't an option of the problem, or not in step with its intervals, is left
    out: a day off."""
    problem, step = grid.problem, grid.problem.minutes
    state = State(grid)
    rows = {agent.name: index for index, agent in enumerate(problem.agents)}
    place = {name: index for index, name in enumerate(problem.groups)}
    known = {(problem.shifts[index].name, start): s for s, (index, start) in enumerate(grid.options)}
    for duty in duties:
        a, s = rows.get(duty.agent), known.get((duty.shift, duty.start))
        if a is None or s is None or not 0 <= duty.day < problem.days or not grid.allowed[a, duty.day, s]:
            continue
        state.choice[a, duty.day] = s
        for order, (begin, _) in enumerate(duty.breaks):
            state.pauses[a, duty.day, order] = (begin - duty.start) // step
        for part in duty.work:
            for i in range((part.begin - duty.start) // step, -(-(part.end - duty.start) // step)):
                state.groups[a, duty.day, i] = place[part.group]
        _search.add_shift(
            a, duty.day, s, 1.0, problem.per_day, grid.start, grid.length, grid.kind, grid.breaks, grid.shares,
            state.pauses, state.groups, state.cover,
        )  # fmt: skip
    return state


def duties_of(grid: Grid, state: State) -> tuple[Duty, ...]:
    """The values that are published."""
    problem, step = grid.problem, grid.problem.minutes
    found = []
    for a, agent in enumerate(problem.agents):
        for day in np.flatnonzero(state.choice[a] >= 0).tolist():
            index, start = grid.options[state.choice[a, day]]
            shift = problem.shifts[index]
            breaks = tuple(
                (start + int(at) * step, start + int(at) * step + pause.minutes)
                for at, pause in zip(state.pauses[a, day], shift.breaks, strict=False)
            )
            found.append(
                Duty(
                    agent.name, day, shift.name, start, start + shift.minutes, breaks,
                    _stretches(start, shift.minutes, step, breaks, state.groups[a, day].tolist(), problem.groups),
                )
            )  # fmt: skip
    return tuple(found)


def _stretches(
    start: int,
    minutes: int,
    step: int,
    breaks: tuple[tuple[int, int], ...],
    at: list[int],
    names: tuple[str, ...],
) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for i in range(minutes // step):
        if at[i] < 0:
            continue
        begin, end = start + i * step, start + (i + 1) * step
        for pause in breaks:
            if pause[0] <= begin < pause[1]:
                begin = pause[1]
        name = names[at[i]]
        if found and found[-1].group == name and found[-1].end == begin:
            found[-1] = Stretch(found[-1].begin, end, name)
        else:
            found.append(Stretch(begin, end, name))
    return tuple(found)
