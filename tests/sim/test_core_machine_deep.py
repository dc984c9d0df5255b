"""The random worlds of tests/unit/test_core_machine.py, many more of them and longer."""

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.test_core_machine import ConversationMachine, CoreMachine

pytestmark = [pytest.mark.sim, pytest.mark.soak]


class DeepMachine(CoreMachine):
    pass


class DeepConversationMachine(ConversationMachine):
    pass


DEEP = settings(
    max_examples=900,
    stateful_step_count=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

TestCoreDeep = DeepMachine.TestCase
TestCoreDeep.settings = DEEP
TestConversationsDeep = DeepConversationMachine.TestCase
TestConversationsDeep.settings = DEEP
