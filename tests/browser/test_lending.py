"""A supervisor lends an agent to a queue in the browser, and takes it back; lines of plots are there at once."""

import re

import pytest
from playwright.sync_api import expect
from stage import Stage, Tab, tenant

pytestmark = pytest.mark.browser

QUEUES = {
    "sales": {"name": "Sales", "agents": ["alice", "boris"]},
    "claims": {"name": "Claims", "agents": ["boris"]},
    "returns": {"name": "Returns", "agents": ["boris"]},
}
USERS = {
    "alice": ["--role", "agent", "--agent", "alice"],
    "Anna Nowak": ["--role", "supervisor"],
}


def house() -> Stage:
    return Stage(tenant(queues=QUEUES), USERS)


def test_an_agent_is_lent_told_and_put_back() -> None:
    with house() as stage:
        alice = stage.browser("alice")
        alice.page.get_by_role("heading", name="My day").wait_for()
        chief = stage.browser("Anna Nowak", path="/floor/alice")
        panel = chief.page.get_by_role("complementary", name="Alice Kowalska")
        sales, returns = panel.get_by_label("Sales"), panel.get_by_label("Returns")
        expect(sales).to_be_checked()
        expect(returns).not_to_be_checked()
        returns.focus()
        chief.page.keyboard.press("Space")  # a switch, by keyboard alone
        expect(returns).to_be_checked()
        expect(panel.get_by_text("lent by a supervisor")).to_be_visible()
        slot = alice.page.get_by_text("Anna Nowak moved you to Returns.")
        expect(slot).to_be_visible()
        expect(alice.page.get_by_text(re.compile("For now also"))).to_contain_text("Returns")
        sales.press("Space")
        expect(panel.get_by_text("taken out by a supervisor")).to_be_visible()
        expect(alice.page.get_by_text("Anna Nowak took you out of Sales.")).to_be_visible()

        def look(tab: Tab, name: str) -> None:
            tab.both_schemes(lambda scheme: tab.axe())
            tab.shot(name)

        look(chief, "lending-floor")
        look(alice, "lending-agent")
        panel.get_by_role("button", name="Undo").click()
        expect(sales).to_be_checked()
        expect(panel.get_by_text("taken out by a supervisor")).to_have_count(0)
        panel.get_by_role("button", name="As in the settings").click()
        expect(returns).not_to_be_checked()
        expect(alice.page.get_by_text(re.compile("For now"))).to_have_count(0)
        # Another page of the same agent, in other languages, shows what stands now.
        returns.press("Space")
        for language, word in (("pl-PL", "Na razie także"), ("ru-RU", "Пока ещё и")):
            other = stage.browser("alice", language=language)
            expect(other.page.get_by_text(word)).to_be_visible()
            other.shot(f"lending-agent-{language[:2]}")
            floor = stage.browser("Anna Nowak", language=language, path="/floor/alice")
            expect(floor.page.get_by_label("Returns")).to_be_checked()
            floor.shot(f"lending-floor-{language[:2]}")


def test_a_plot_begins_with_what_the_centre_has_seen() -> None:
    with house() as stage:
        # Somebody waits for claims, and is gone before anybody looks.
        call = stage.call("+48221234568")
        chief = stage.browser("Anna Nowak", path="/account")
        asked = "async () => (await (await fetch('/api/v1/queues/claims/history?minutes=2')).json()).items"
        chief.until(
            "the centre has seen it", lambda: any(one["waiting"] == 1 for one in chief.page.evaluate(asked))
        )
        stage.on_loop(call.hang_up)
        chief.until("the end of the call", lambda: call.state == "over")
        chief.page.wait_for_timeout(1000)  # until nobody stands on the board any more
        chief.open("/queues/claims")
        figure = chief.page.get_by_role("figure", name=re.compile("Waiting, last 2 hours"))
        expect(figure.get_by_text(re.compile(r"at most 1, now 0; since \d"))).to_be_visible(timeout=30_000)
        figure.get_by_role("button", name="As a table").click()
        expect(figure.locator("tbody tr").first).to_contain_text("1")
        chief.both_schemes(lambda scheme: chief.axe())
        chief.shot("plot-queue")
