"""What the centre's own past teaches of its waits, for what callers are told: `python -m centrala.learning` learns.

`reading` folds the log to estimates and truths, `fitting` makes a model of them and judges it, `job` has it done.
"""

from centrala.learning.job import Learning, LearningFailed

__all__ = ["Learning", "LearningFailed"]
