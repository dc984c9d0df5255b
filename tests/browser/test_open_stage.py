"""A queue that is open to more agents than its own, and who is lent to it: on its page and its tile."""

import re

import pytest
from playwright.sync_api import expect
from stage import Stage, tenant

pytestmark = pytest.mark.browser

QUEUES = {
    "sales": {"name": "Sales", "agents": ["alice"], "balance": {}},
    "claims": {
        "name": "Claims",
        "agents": ["boris"],
        "balance": {},
        "widen": [{"after": "2s", "queues": ["sales"]}, {"after": "10m", "queues": ["sales"]}],
    },
}


def test_the_open_stage_and_who_is_lent_stand_on_the_queues_page_and_tile() -> None:
    settings = tenant(queues=QUEUES, balancing={"every": "5s"})
    settings["agents"]["alice"] |= {"helps": ["claims"], "ready_on_register": True}
    with Stage(settings, {"chief": ["--role", "supervisor"]}) as stage:
        tab = stage.browser("chief", path="/queues/claims")
        page = tab.page
        page.get_by_role("heading", name="Claims").wait_for()
        assert page.get_by_text("Also:").count() == 0
        stage.phone("alice", "correct horse")
        for number in range(3):
            stage.call("+48221234568", number=f"+4860010020{number}")
        page.get_by_text("Also: agents of Sales").wait_for()
        expect(page.get_by_text("(stage 1 of 2)")).to_be_visible()
        page.get_by_text(
            re.compile(r"^(Just now|For 1 minute), for [23] callers who have waited long\.")
        ).wait_for()
        lent = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Alice Kowalska"))
        lent.first.wait_for()
        tab.axe()
        tab.shot("queue-open")
        page.evaluate(
            "history.pushState(null, '', '/wallboard'); dispatchEvent(new PopStateEvent('popstate'))"
        )
        tile = page.locator("article[data-queue=claims]")
        expect(tile).to_contain_text("Also: agents of Sales")
        expect(tile).to_contain_text("1 of them lent for now")
        expect(page.locator("article[data-queue=sales]")).not_to_contain_text("Also:")
        tab.axe()
        tab.shot("wallboard-open")
