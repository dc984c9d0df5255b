"""The science of a contact centre: queueing models, staffing, what-if on the core, simulation, forecasts, patience.

    from centrala.workforce import Target, queue, staff
    staff(per_hour=[180, 220, 140], handling=240, patience=180, target=Target(0.8, 20, max_abandon=0.05))

Rates are an hour, times are seconds, shares from 0 to 1. What can't be answered raises a `WorkforceError`.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

_missing = [name for name in ("numba", "scipy") if find_spec(name) is None]
if _missing:
    raise ImportError(
        f"centrala.workforce needs {' and '.join(_missing)}: install it with pip install 'centrala[workforce]'"
    )

if TYPE_CHECKING:
    from centrala.workforce.economics import (
        Blend,
        CrossSelling,
        Frontier,
        Pooling,
        blend,
        cross_selling,
        frontier,
        pool,
    )
    from centrala.workforce.errors import (
        BadHistory,
        BadInput,
        DuplicateInterval,
        GapInHistory,
        NeverSeen,
        NoAgents,
        NotModelled,
        TooShort,
        Unattainable,
        Unstable,
        WorkforceError,
    )
    from centrala.workforce.fast import (
        Calls,
        FastResult,
        World,
        draw,
        line,
    )
    from centrala.workforce.floor import (
        Floor,
    )
    from centrala.workforce.forecasting import (
        Accuracy,
        Forecast,
        by_analogy,
        forecast,
        rolling,
        score,
    )
    from centrala.workforce.hazard import (
        CallsAgain,
        Hazard,
        MeasuredSurvival,
        calls_again,
        differ,
        patience_by,
        patience_of,
    )
    from centrala.workforce.history import (
        History,
    )
    from centrala.workforce.models import (
        Performance,
        erlang_b,
        erlang_c,
        queue,
    )
    from centrala.workforce.patience import (
        ErlangPatience,
        ExponentialPatience,
        FixedPatience,
        LognormalPatience,
        MeasuredPatience,
        MixedPatience,
        Never,
        Patience,
        WeibullPatience,
        kaplan_meier,
    )
    from centrala.workforce.predict import (
        WaitAccuracy,
        WaitHistory,
        WaitModel,
        judge,
        learn_waits,
    )
    from centrala.workforce.rules import (
        beta_for,
        burst,
        garnett,
        garnett_abandonment,
        halfin_whitt,
        regime,
        square_root,
        wait_ahead,
        wait_error,
    )
    from centrala.workforce.staffing import (
        Target,
        staff,
    )
    from centrala.workforce.varying import (
        Day,
        offered_load,
        solve_day,
        staff_day,
    )
    from centrala.workforce.whatif import (
        Comparison,
        compare,
        merge_queues,
        with_agents,
        with_calls,
        with_skill,
        without_agents,
    )

# Loaded when first asked for: the compiler alone takes a third of a second.
_HOME = {
    "Blend": "economics",
    "CrossSelling": "economics",
    "Frontier": "economics",
    "Pooling": "economics",
    "blend": "economics",
    "cross_selling": "economics",
    "frontier": "economics",
    "pool": "economics",
    "BadHistory": "errors",
    "BadInput": "errors",
    "DuplicateInterval": "errors",
    "GapInHistory": "errors",
    "NeverSeen": "errors",
    "NoAgents": "errors",
    "NotModelled": "errors",
    "TooShort": "errors",
    "Unattainable": "errors",
    "Unstable": "errors",
    "WorkforceError": "errors",
    "Calls": "fast",
    "FastResult": "fast",
    "World": "fast",
    "draw": "fast",
    "line": "fast",
    "Floor": "floor",
    "Accuracy": "forecasting",
    "Forecast": "forecasting",
    "by_analogy": "forecasting",
    "forecast": "forecasting",
    "rolling": "forecasting",
    "score": "forecasting",
    "CallsAgain": "hazard",
    "Hazard": "hazard",
    "MeasuredSurvival": "hazard",
    "calls_again": "hazard",
    "differ": "hazard",
    "patience_by": "hazard",
    "patience_of": "hazard",
    "History": "history",
    "Performance": "models",
    "erlang_b": "models",
    "erlang_c": "models",
    "queue": "models",
    "ErlangPatience": "patience",
    "ExponentialPatience": "patience",
    "FixedPatience": "patience",
    "LognormalPatience": "patience",
    "MeasuredPatience": "patience",
    "MixedPatience": "patience",
    "Never": "patience",
    "Patience": "patience",
    "WeibullPatience": "patience",
    "kaplan_meier": "patience",
    "WaitAccuracy": "predict",
    "WaitHistory": "predict",
    "WaitModel": "predict",
    "judge": "predict",
    "learn_waits": "predict",
    "beta_for": "rules",
    "burst": "rules",
    "garnett": "rules",
    "garnett_abandonment": "rules",
    "halfin_whitt": "rules",
    "regime": "rules",
    "square_root": "rules",
    "wait_ahead": "rules",
    "wait_error": "rules",
    "Target": "staffing",
    "staff": "staffing",
    "Day": "varying",
    "offered_load": "varying",
    "solve_day": "varying",
    "staff_day": "varying",
    "Comparison": "whatif",
    "compare": "whatif",
    "merge_queues": "whatif",
    "with_agents": "whatif",
    "with_calls": "whatif",
    "with_skill": "whatif",
    "without_agents": "whatif",
}

__all__ = [
    "Accuracy",
    "BadHistory",
    "BadInput",
    "Blend",
    "Calls",
    "CallsAgain",
    "Comparison",
    "CrossSelling",
    "Day",
    "DuplicateInterval",
    "ErlangPatience",
    "ExponentialPatience",
    "FastResult",
    "FixedPatience",
    "Floor",
    "Forecast",
    "Frontier",
    "GapInHistory",
    "Hazard",
    "History",
    "LognormalPatience",
    "MeasuredPatience",
    "MeasuredSurvival",
    "MixedPatience",
    "Never",
    "NeverSeen",
    "NoAgents",
    "NotModelled",
    "Patience",
    "Performance",
    "Pooling",
    "Target",
    "TooShort",
    "Unattainable",
    "Unstable",
    "WaitAccuracy",
    "WaitHistory",
    "WaitModel",
    "WeibullPatience",
    "WorkforceError",
    "World",
    "beta_for",
    "blend",
    "burst",
    "by_analogy",
    "calls_again",
    "compare",
    "cross_selling",
    "differ",
    "draw",
    "erlang_b",
    "erlang_c",
    "forecast",
    "frontier",
    "garnett",
    "garnett_abandonment",
    "halfin_whitt",
    "judge",
    "kaplan_meier",
    "learn_waits",
    "line",
    "merge_queues",
    "offered_load",
    "patience_by",
    "patience_of",
    "pool",
    "queue",
    "regime",
    "rolling",
    "score",
    "solve_day",
    "square_root",
    "staff",
    "staff_day",
    "wait_ahead",
    "wait_error",
    "with_agents",
    "with_calls",
    "with_skill",
    "without_agents",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
