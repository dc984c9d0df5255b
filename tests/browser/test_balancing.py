"""Rebalancing in the browser: who is lent and why on the floor and the agent's page, the end of a loan, a pause."""

import re

import pytest
from playwright.sync_api import expect
from stage import Stage, Tab, tenant

pytestmark = pytest.mark.browser

QUEUES = {
    "sales": {"name": "Sales", "agents": ["alice"], "balance": {}},
    "claims": {"name": "Claims", "agents": ["boris"], "balance": {"most": 3}},
}
USERS = {
    "alice": ["--role", "agent", "--agent", "alice"],
    "Anna Nowak": ["--role", "supervisor"],
}
CLAIMS = "+48221234568"


def house() -> Stage:
    settings = tenant(queues=QUEUES, balancing={"every": "5s"})
    settings["agents"]["alice"] |= {"helps": ["claims"], "ready_on_register": True}
    return Stage(settings, USERS)


def test_lent_at_a_peak_told_why_taken_back_and_paused() -> None:
    with house() as stage:
        alice = stage.browser("alice")
        alice.page.get_by_role("heading", name="My day").wait_for()
        chief = stage.browser("Anna Nowak", path="/balancing")
        page = chief.page
        expect(page.get_by_text("Nobody is lent.")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("Claims"))).to_contain_text("3")
        stage.phone("alice", "correct horse")
        for number in range(3):
            stage.call(CLAIMS, number=f"+4860010020{number}")

        expect(
            page.get_by_text(re.compile(r"lent to Claims since \d\d:\d\d: expected 0.?% there"))
        ).to_be_visible(timeout=15_000)
        expect(page.get_by_text("Alice Kowalska")).to_be_visible()
        also = alice.page.get_by_text(re.compile("You also serve Claims now"))
        expect(also).to_be_visible()

        def look(tab: Tab, name: str) -> None:
            tab.both_schemes(lambda scheme: tab.axe())
            tab.shot(name)

        look(chief, "balancing")
        for language, lent in (("pl-PL", "w kolejce Claims od"), ("ru-RU", "в очереди Claims с")):
            other = stage.browser("Anna Nowak", language=language, path="/floor/alice")
            expect(other.page.get_by_text(re.compile(lent))).to_be_visible()
            other.shot(f"balancing-floor-{language[:2]}")

        back = page.get_by_role("button", name="Take back: Alice Kowalska, Claims")
        back.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nobody is lent.")).to_be_visible()
        expect(also).to_have_count(0)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#content").get_by_role("status")).to_contain_text("Paused: nobody is lent")
        page.get_by_role("button", name="Let it go on").click()
        expect(page.locator("#content").get_by_role("status")).to_contain_text("Runs")
        look(chief, "balancing-none")
