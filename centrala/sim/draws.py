"""Distributions of times, in seconds. Each gives `draw(rng)`: one sample, never negative."""

from dataclasses import dataclass
from math import exp, log, sqrt
from random import Random
from typing import Protocol


class Distribution(Protocol):
    @property
    def mean(self) -> float: ...

    def draw(self, rng: Random) -> float: ...


@dataclass(frozen=True, slots=True)
class Exponential:
    mean: float

    def __post_init__(self) -> None:
        _positive("mean", self.mean)

    def draw(self, rng: Random) -> float:
        return rng.expovariate(1.0 / self.mean)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same: deterministic."""

    mean: float

    def __post_init__(self) -> None:
        if not self.mean >= 0:
            raise ValueError(f"a time is 0 or more, not {self.mean}")

    def draw(self, rng: Random) -> float:
        return self.mean


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Long tail to the right, as handling times have (Brown et al., JASA 100, 2005)."""

    mean: float
    deviation: float
    "Standard deviation of the times themselves, not of their logarithms."

    def __post_init__(self) -> None:
        _positive("mean", self.mean)
        _positive("deviation", self.deviation)

    def draw(self, rng: Random) -> float:
        variance = log(1.0 + (self.deviation / self.mean) ** 2)
        return exp(rng.gauss(log(self.mean) - variance / 2.0, sqrt(variance)))


@dataclass(frozen=True, slots=True)
class Erlang:
    """Sum of `stages` exponential times: steadier than one of them."""

    stages: int
    mean: float

    def __post_init__(self) -> None:
        _positive("mean", self.mean)
        _positive("stages", self.stages)

    def draw(self, rng: Random) -> float:
        return rng.gammavariate(self.stages, self.mean / self.stages)


@dataclass(frozen=True, slots=True)
class Measured:
    """Times that were measured, drawn with equal chances."""

    times: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.times or min(self.times) < 0:
            raise ValueError("measured times must be given, each 0 or more")

    @property
    def mean(self) -> float:
        return sum(self.times) / len(self.times)

    def draw(self, rng: Random) -> float:
        return rng.choice(self.times)


def _positive(what: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{what} must be above 0, not {value}")
