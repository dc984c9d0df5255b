"""Callbacks on the agent's page: promised on the card, reminded of when due, called, put off, done and undone."""

import time

import pytest
from playwright.sync_api import expect
from stage import Stage, Tab
from test_agent import DESK_PHONE, at_desk, house

pytestmark = pytest.mark.browser

ASK = """async ([method, path, body]) => {
  const answer = await fetch('/api/v1' + path, {
    method, headers: { 'X-Centrala': '1', 'Content-Type': 'application/json' },
    body: body === null ? undefined : JSON.stringify(body),
  })
  return answer.status === 204 ? null : await answer.json()
}"""


def ask(tab: Tab, method: str, path: str, body: object = None) -> dict:  # type: ignore[type-arg]
    return tab.page.evaluate(ASK, [method, path, body])  # type: ignore[no-any-return]


def card(tab: Tab, given: str, number: str) -> str:
    made = ask(
        tab,
        "POST",
        "/customers",
        {"given": given, "family": "Nowak", "identities": [{"kind": "phone", "value": number}]},
    )
    return str(made["id"])


def test_a_callback_is_due_called_and_done() -> None:
    out = {"office": {"network": "127.0.5.0/24"}, "carrier": {"address": "127.0.0.1:9", "outbound": True}}
    with Stage(house(trunks=out)) as stage:
        alice, phone = at_desk(stage)
        page = alice.page
        jan = card(alice, "Jan", "+16045550100")
        later = card(alice, "Olga", "+48600100201")
        now = time.time()
        boris = stage.browser("boris", sign_in=False, language="pl-PL")
        boris.context.add_init_script(DESK_PHONE)
        boris.sign_in()
        promised = {"text": "the price of roses", "due": now + 6, "queue": "sales"}
        ask(boris, "POST", f"/customers/{jan}/promises", promised)
        ask(
            alice,
            "POST",
            f"/customers/{later}/promises",
            {"text": "wants an offer", "due": now - 3600, "queue": "claims"},
        )
        page.reload()
        strip = page.get_by_text("Call back Jan Nowak: the price of roses")
        expect(strip).to_be_visible(timeout=15_000)
        mine = page.get_by_role("region", name="My callbacks")
        rows = mine.locator("li")
        # What is for whoever serves Claims isn't Alice's.
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("overdue")
        expect(rows.first).to_contain_text("there")  # Vancouver is nine hours behind
        alice.both_schemes(lambda scheme: alice.axe())
        alice.shot("callbacks")
        rows.first.get_by_role("button", name="Call").click()
        alice.until("the agent's phone rings", lambda: bool(phone.calls))
        stage.on_loop(phone.calls[0].hang_up)
        expect(rows.first.get_by_role("button", name="Call")).to_be_enabled()
        rows.first.get_by_role("button", name="Put off").click()
        page.get_by_role("menuitem", name="in 15 minutes").click()
        expect(rows.first).not_to_contain_text("overdue")
        rows.first.get_by_role("button", name="Done").click()
        expect(rows).to_have_count(0)
        page.get_by_role("button", name="Undo").click()
        expect(rows).to_have_count(1)

        # Promised on the card itself, for whoever serves the queue.
        page.goto(f"{stage.base}/customers/{jan}")
        page.get_by_role("button", name="Promise").click()
        page.get_by_role("textbox", name="Promise").fill("send the catalogue")
        day = time.strftime("%Y-%m-%d", time.localtime(now))
        page.get_by_label("Until").fill(day)
        page.get_by_label("At", exact=True).fill("00:01")
        page.get_by_role("combobox", name="Who calls back").click()
        page.get_by_role("option", name="anybody of Sales").click()
        alice.axe()
        alice.shot("callbacks-promise")
        page.get_by_role("button", name="Save").click()
        boris.page.reload()
        his = boris.page.get_by_role("region", name="Moje oddzwonienia")
        expect(his.locator("li")).to_have_count(3)  # boris serves both queues
        expect(his).to_contain_text("send the catalogue")
        expect(his).to_contain_text("obietnica: alice")
        boris.shot("callbacks-pl")
        ru = stage.browser("boris", sign_in=False, language="ru-RU", scheme="dark")
        ru.context.add_init_script(DESK_PHONE)
        ru.sign_in()
        expect(ru.page.get_by_role("region", name="Обратные звонки").locator("li")).to_have_count(3)
        ru.shot("callbacks-ru")
