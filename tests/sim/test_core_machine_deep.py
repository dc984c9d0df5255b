"""The random worlds of tests/unit/test_core_machine.py, many more of them and longer."""

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.test_core_machine import CoreMachine

pytestmark = pytest.mark.sim


class DeepMachine(CoreMachine):
    pass


TestCoreDeep = DeepMachine.TestCase
TestCoreDeep.settings = settings(
    max_examples=900,
    stateful_step_count=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
