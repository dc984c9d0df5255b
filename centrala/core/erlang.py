"""The service level of a queue by its rates: Erlang A (M/M/n + M), in closed form.

Whoever comes while j wait has j + 1 to see go, by a rate c = n·μ and θ for each who waits: the wait V that they
would have is a sum of exponential times with the rates c + i·θ, i = 0 … j, and so exp(-θ·V) has a beta distribution
with the parameters c/θ and j + 1. With it, whether V is within the threshold, and whether the caller has the patience
for it, are incomplete beta functions, which the recursion over j gives in passing (Abramowitz & Stegun 26.5.16).
"""

from math import exp

LEAST_PATIENCE = 1e-7
"Callers who give up per second that one waits: fewer are as good as none, and nothing is divided by 0."
MOST_WAITING = 400
"Beyond so many in the line, nobody is served in time."


def service_level(arrivals: float, service: float, patience: float, agents: int, within: float) -> float:
    """Share to be answered within so many seconds, of all but those who give up before (SL_C).

    Rates per second: of callers, of an occupied agent, of each who waits. 1 where nobody comes, 0 where nobody serves.
    """
    if arrivals <= 0.0:
        return 1.0
    if agents <= 0 or service <= 0.0:
        return 0.0
    load = arrivals / service
    inverse = 1.0  # of Erlang B
    for busy in range(1, agents + 1):
        inverse = 1.0 + inverse * busy / load
    if inverse > 1e15:
        return 1.0  # all busy never happens
    theta = max(patience, LEAST_PATIENCE)
    capacity = agents * service
    a = capacity / theta
    x = exp(-theta * within)
    y = 1.0 - x
    gone = exp(-capacity * within)
    late, step = gone, a * y * gone  # P(V > within), and what one more in the line adds to it
    left, stride = gone * x, (a + 1.0) * y * gone * x  # the same with the parameter a + 1, for those who stay
    # Weights against that of "all busy, nobody waits".
    weight, in_time, waiting = 1.0, inverse - 1.0, 0.0
    total = inverse
    for ahead in range(MOST_WAITING):
        b = ahead + 1.0
        in_time += weight * a / (a + b) * max(1.0 - left, 0.0)
        waiting += weight * min(late, 1.0) * x
        late += step
        left += stride
        step *= y * (a + b) / (b + 1.0)
        stride *= y * (a + 1.0 + b) / (b + 1.0)
        weight *= arrivals / (capacity + b * theta)
        total += weight
        if weight < 1e-7 * total:
            break
        if weight > 1e200:  # hopeless; the weights are relative to each other
            in_time, waiting, total, weight = in_time / weight, waiting / weight, total / weight, 1.0
    return in_time / (in_time + waiting) if in_time + waiting > 0.0 else 0.0
