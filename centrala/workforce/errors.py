"""What can be wrong with a question about staffing: one class each, all of them `WorkforceError`."""


class WorkforceError(ValueError):
    """A question that has no answer; the text says which value, where, and what it may be."""


class BadInput(WorkforceError):
    """A value outside its range: a negative rate, no handling time, something that is no number."""


class NoAgents(WorkforceError):
    """A queue that nobody serves."""


class Unstable(WorkforceError):
    """More work than the agents can do, of callers who never give up: the queue grows without end."""


class Unattainable(WorkforceError):
    """A target that no number of agents reaches, or none of those allowed."""


class NotModelled(WorkforceError):
    """The compiled kernel doesn't know a rule that the scenario uses; the core itself (`centrala.sim`) does."""


class BadHistory(BadInput):
    """A history that can't be read as one value an interval."""


class GapInHistory(BadHistory):
    """Intervals or weeks are missing where there usually is something."""


class DuplicateInterval(BadHistory):
    """Two values for one interval."""


class TooShort(BadHistory):
    """Fewer days than anything can be learnt from."""


class NeverSeen(BadHistory):
    """A kind of day is asked for that the history doesn't have: a year without Christmas."""
