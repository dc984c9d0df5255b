"""What an agent learns of a customer's way through the menus: titles for all, answers for who talks with them."""

import json

import pytest

from centrala.core import facts as f
from centrala.core.private import Private
from centrala.core.state import Published
from centrala.web.entities import ANSWERS, STEPS, way
from tests.unit.test_web_board import SCHEMA, START, VIEWERS, World, fresh

pytestmark = pytest.mark.unit

GRAPH = json.dumps(
    {
        "format": 1,
        "start": "hello",
        "nodes": {
            "hello": {"type": "say"},
            "main": {"type": "menu", "title": "Main menu"},
            "orders": {"type": "menu", "title": "Orders <b>&</b>"},
        },
    }
)


def talking() -> World:
    world = World(1)
    world.watched()
    for agent in ("ania", "bartek"):
        world.step(f.PhoneRegistered(START, agent))
    world.numbers["way"] = "+48"
    world.step(f.ContactArrived(START, "way", "sales", "way"))
    contact = world.centre.contacts["way"]
    world.centre.flows["ivr"] = Published(2, {2: GRAPH})
    contact.path = [
        ("ivr", "hello", "next"),
        ("ivr", "main", "1"),
        ("ivr", "main", "1"),
        ("ivr", "orders", "2"),
        ("gone", "x", ""),
    ]
    contact.values = {f"v{number}": Private(number) for number in range(ANSWERS + 5)}
    contact.values = {"order": Private("4711"), "vip": Private(True), **contact.values}
    return world


def test_titles_in_order_once_each() -> None:
    world = talking()
    contact = world.centre.contacts["way"]
    assert way(world.centre, contact) == ["Main menu", "Orders <b>&</b>"]
    contact.path = [("ivr", one, "") for one in ("main", "orders") * 20]
    assert len(way(world.centre, contact)) == STEPS
    world.centre.flows["ivr"].graphs[2] = "no JSON"
    assert way(world.centre, contact) == []


def test_answers_are_for_who_talks_with_the_customer() -> None:
    world = talking()
    assert world.hub is not None
    contact = world.centre.contacts["way"]

    def answers(viewer: str) -> object:
        world.hub.flush()  # type: ignore[union-attr]
        value = fresh(world.hub, VIEWERS[viewer], world.now).entities.get(("contact", "way"))  # type: ignore[arg-type]
        if value is None:
            return None
        SCHEMA.validate_python({"what": "contact", "id": "way", "value": value})
        assert value["path"] == ["Main menu", "Orders <b>&</b>"]
        return value["answers"]

    assert answers("supervisor") == {}
    world.step(f.AgentReady(START, "ania"))
    if not contact.offers:  # ania doesn't serve that queue in this world
        pytest.fail("nobody was rung")
    assert answers("agent") == {}, "while it rings, anybody may be at that desk"
    world.step(f.Answered(START, "way", next(iter(contact.offers))))
    mine = answers("agent")
    assert isinstance(mine, dict)
    assert (mine["order"], mine["vip"], len(mine)) == ("4711", True, ANSWERS)
    assert answers("supervisor") == {}
    assert answers("supervisor of one queue") == {}
