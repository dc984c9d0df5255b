"""Rules of thumb with a proof behind them: square-root staffing, the wait of who stands in line, bursts of dialling.

With R Erlangs offered, n = R + β√R agents give a chance of waiting that hardly depends on the size of the house.
"""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unattainable


def _hazard(x: Floats) -> Floats:
    """φ(x) / (1 - Φ(x)) of the normal distribution."""
    return np.asarray(math.sqrt(2 / math.pi) / special.erfcx(x / math.sqrt(2)))


def halfin_whitt(beta: ArrayLike) -> Any:
    """Chance of waiting where nobody gives up, in the limit of large houses: β > 0 (Halfin and Whitt 1981)."""
    value = checks.positive("beta", beta)
    return checks.plain(1 / (1 + value / _hazard(-value)))


def garnett(beta: ArrayLike, impatience: ArrayLike) -> Any:
    """Chance of waiting with exponential patience; `impatience` is handling ÷ patience, any β
    (Garnett, Mandelbaum and Reiman 2002)."""
    value, ratio = checks.together(
        beta=checks.numbers("beta", beta), impatience=checks.positive("impatience", impatience)
    )
    root = np.sqrt(ratio)
    return checks.plain(1 / (1 + root * _hazard(value / root) / _hazard(-value)))


def garnett_abandonment(beta: ArrayLike, impatience: ArrayLike, agents: ArrayLike) -> Any:
    """Share of calls that give up, by the same limit: it falls with the root of the agents."""
    value, ratio, n = checks.together(
        beta=checks.numbers("beta", beta),
        impatience=checks.positive("impatience", impatience),
        agents=checks.agents_of(agents),
    )
    root = np.sqrt(ratio)
    over = value / root
    return checks.plain(root * (_hazard(over) - over) * np.asarray(garnett(value, ratio)) / np.sqrt(n))


def beta_for(wait_chance: float, impatience: float = 0.0) -> float:
    """The β that gives this chance of waiting. Raises Unattainable for 0 and 1."""
    chance = float(checks.share("chance of waiting", wait_chance))
    ratio = float(checks.not_negative("impatience", impatience))
    if not 0 < chance < 1:
        raise Unattainable(
            f"chance of waiting: {chance:g} needs endlessly many agents, or none; say between 0 and 1"
        )

    def misses(beta: float) -> float:
        found = garnett(beta, ratio) if ratio else (halfin_whitt(beta) if beta > 0 else 1.0)
        return math.log(float(found)) - math.log(chance)

    low, high = (0.0, 1.0) if not ratio else (-1.0, 1.0)
    while misses(high) > 0:
        high *= 2
    while ratio and misses(low) < 0:
        low *= 2
        if low < -1e6:
            raise Unattainable(f"chance of waiting: {chance:g} is nearly certain; no staffing is that thin")
    return float(optimize.brentq(misses, low, high, xtol=1e-13))


def square_root(load: ArrayLike, wait_chance: float, impatience: float = 0.0) -> Any:
    """Agents by the square-root rule: ⌈R + β√R⌉. `staffing.staff` gives the exact number."""
    a = checks.not_negative("load", load)
    return checks.plain(np.ceil(a + beta_for(wait_chance, impatience) * np.sqrt(a) - 1e-12).astype(np.int64))


Regime = Literal["efficiency-driven", "rationalised", "quality-driven"]


def regime(agents: float, load: float) -> Regime:
    """Where a house stands: |β| up to 2.5 is the rationalised middle of quality and efficiency (Borst, Mandelbaum
    and Reiman 2004 name the regimes; the bounds are ours)."""
    beta = (float(checks.agents_of(agents)) - load) / math.sqrt(checks.one_positive("load", load))
    return "quality-driven" if beta > 2.5 else "efficiency-driven" if beta < -2.5 else "rationalised"


def wait_ahead(agents: float, handling: float, patience: float, ahead: int) -> tuple[float, float]:
    """Mean and deviation, in seconds, of the wait of who stays, with all agents busy and `ahead` others in line:
    a chain of exponential steps. `patience` may be inf."""
    n = float(checks.agents_of(agents))
    busy = n / checks.one_positive("handling", handling)
    theta = 1 / checks.one_positive("patience", patience, finite=False)
    rates = busy + theta * np.arange(checks.whole("ahead", ahead, 0) + 1)
    return float(np.sum(1 / rates)), math.sqrt(float(np.sum(1 / rates**2)))


def wait_error(agents: float, handling: float, load: float) -> float:
    """Mean square error, in seconds², of (queue length + 1) × handling ÷ agents as a forecast of the wait, of those
    who wait in M/M/n."""
    n, a = float(checks.agents_of(agents)), checks.one_positive("load", load)
    if a >= n:
        raise BadInput(f"load: {a:g} Erlangs are not below {n:g} agents")
    return (handling / n) ** 2 / (1 - a / n)


def burst(free_agents: int, answer_chance: float, cap: float) -> tuple[int, float, float]:
    """How many lines may be dialled at once for `free_agents` so that at most `cap` of the calls answered by people
    find no agent: (lines, share abandoned, share with one line more)."""
    free = checks.whole("free_agents", free_agents, 0)
    chance = float(checks.share("answer_chance", answer_chance))
    limit = float(checks.share("cap", cap))
    if not chance > 0 or limit >= 1:
        raise Unattainable("a burst without answers, or without a limit, has no greatest number of lines")

    def lost(lines: int) -> float:
        if lines <= free:
            return 0.0
        # E(X - f)+ = Σ P(X > k) over k ≥ f.
        k = np.arange(free, lines)
        return float(np.sum(special.betainc(k + 1.0, lines - k, chance))) / (lines * chance)

    lines, step = free, 1
    while lost(lines + step) <= limit:
        lines += step
        step *= 2
    while step:
        if lost(lines + step) <= limit:
            lines += step
        step //= 2
    return lines, lost(lines), lost(lines + 1)
