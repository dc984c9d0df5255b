"""The page of callbacks: who hung up is promised a call, which an agent's page announces; put off, dropped."""

import re

import pytest
from playwright.sync_api import expect
from stage import Stage, tenant

pytestmark = pytest.mark.browser

QUEUES = {
    "sales": {
        "name": "Sales",
        "agents": ["alice", "boris"],
        "short_abandon": "200ms",
        "keys": {"9": {"hang_up": "busy"}},
    },
    "claims": {"name": "Claims", "agents": ["boris"]},
}
OUT = {"office": {"network": "127.0.5.0/24"}, "carrier": {"address": "127.0.0.1:9", "outbound": True}}


def house() -> Stage:
    return Stage(tenant(queues=QUEUES, trunks=OUT))


def test_who_hung_up_is_called_back_from_the_page() -> None:
    with house() as stage:
        chief = stage.browser("chief", path="/callbacks")
        page = chief.page
        owed = page.get_by_role("region", name=re.compile("^To be called"))
        lost = page.get_by_role("region", name=re.compile("^Hung up today"))
        expect(owed.get_by_role("heading", name="Nobody is owed a call")).to_be_visible()
        expect(lost).to_contain_text("Nobody was lost today.")
        call = stage.call()
        page.wait_for_timeout(1500)
        stage.on_loop(call.hang_up)
        chief.until("the end of the call", lambda: call.state == "over")
        asked = "async () => (await (await fetch('/api/v1/floor/abandoned')).json()).items.length"
        chief.until("the records follow", lambda: page.evaluate(asked) == 1)
        page.reload()
        row = lost.locator("tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("+48 600 100 200")
        expect(row).to_contain_text("Sales")
        row.get_by_role("button", name="Call back").click()
        expect(row).to_contain_text("promised")
        expect(row.get_by_role("button")).to_have_count(0)
        pending = owed.locator("tbody tr")
        expect(pending).to_have_count(1)
        expect(pending).to_contain_text("+48 600 100 200")
        expect(pending).to_contain_text("1 of 3")
        chief.both_schemes(lambda scheme: chief.axe())
        chief.shot("owed")

        # The agent's phone rings, and the page says what for.
        phone = stage.phone("alice", "correct horse")
        alice = stage.browser("alice")
        alice.page.get_by_role("button", name=re.compile("Ready")).first.click()
        chief.until("the agent's phone rings", lambda: bool(phone.calls))
        expect(alice.page.get_by_text(re.compile(r"Callback, promised at \d\d:\d\d"))).to_be_visible()
        expect(alice.page.get_by_text("+48 600 100 200").first).to_be_visible()
        expect(pending).to_contain_text("rings Alice Kowalska")
        alice.both_schemes(lambda scheme: alice.axe())
        alice.shot("owed-offer")
        for language, sentence in (
            ("pl-PL", "Oddzwonienie, obiecane"),
            ("ru-RU", "Обратный звонок, обещан"),
        ):
            other = stage.browser("alice", language=language)
            expect(other.page.get_by_text(re.compile(sentence))).to_be_visible()
            other.shot(f"owed-offer-{language[:2]}")
        stage.on_loop(phone.calls[0].hang_up)

        # Put off, and dropped by two presses.
        pending.get_by_role("button", name="Put off").click()
        page.get_by_role("menuitem", name="By 15 min").click()
        expect(pending.get_by_role("button", name="Call now")).to_be_visible()
        pending.get_by_role("button", name="Drop").click()
        pending.get_by_role("button", name="Really drop it?").click()
        expect(owed.get_by_role("heading", name="Nobody is owed a call")).to_be_visible()
        expect(row).to_contain_text("dropped")
        for language, title in (("pl-PL", "Oddzwonienia"), ("ru-RU", "Обратные звонки")):
            other = stage.browser("chief", language=language, path="/callbacks")
            expect(other.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
            other.axe()
            other.shot(f"owed-{language[:2]}")


def test_a_promise_by_number_and_both_waits() -> None:
    with house() as stage:
        chief = stage.browser("chief", path="/callbacks")
        page = chief.page
        form = page.get_by_role("form", name="Promise a call")
        form.get_by_label("Number").fill("701 112 233")
        form.get_by_role("button", name="Promise a call").click()
        expect(form.get_by_role("alert")).to_contain_text("isn’t called back")
        form.get_by_label("Number").fill("600 100 300")
        form.get_by_role("button", name="Promise a call").click()
        expect(form.get_by_role("status")).to_be_visible()
        owed = page.get_by_role("region", name=re.compile("^To be called"))
        expect(owed.locator("tbody tr")).to_have_count(1)
        expect(owed).to_contain_text("+48 600 100 300")
        waits = page.get_by_role("region", name="How long they waited")
        expect(waits.locator("tbody tr")).to_have_count(2)
        expect(waits.locator("tbody tr").first).to_contain_text("Sales")
        chief.axe()


def test_keys_and_callbacks_among_the_settings() -> None:
    with Stage() as stage:
        root = stage.browser("root", path="/settings/queues/sales")
        page = root.page
        row = page.locator('[data-key="keys"]')
        row.get_by_role("combobox", name="Add").click()
        page.get_by_role("option", name="1", exact=True).click()
        expect(row).to_contain_text("1")
        follow = page.locator('[data-key="follow_up"]')
        follow.get_by_role("switch").first.focus()
        page.keyboard.press("Space")
        follow.get_by_label("After").fill("5m")
        follow.get_by_label("After").blur()
        expect(follow.get_by_label("After")).to_have_value("5m")
        root.axe()
        root.shot("owed-settings")
