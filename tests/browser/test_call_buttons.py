"""What agents press in mid-call: recording and its pause, a payment, parking, another tier; a message heard by key.

alice has a phone on the desk; boris has the one in the page, and is of the second tier. What the page says is checked
in the records and in what the telephones hear.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from stage import NUMBER, Stage, Tab, tenant
from test_agent import DESK_PHONE, at_desk, control, pick_up, ready, state

from centrala.testing.call import Call
from centrala.testing.phone import Phone, ignore

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

CARD = "49297316"
PAYMENT = {
    "start": "card",
    "language": "en",
    "nodes": {
        "card": {
            "type": "collect", "prompt": ["Card number, please."], "title": "Card number",
            "variable": "card", "least": 8, "most": 19, "secret": True, "timeout": 20, "digit_timeout": 8,
            "exits": {"next": "paid", "timeout": "back", "invalid": "back"},
        },
        "paid": {"type": "set", "values": {"result": "'paid'"}, "exits": {"next": "back"}},
        "back": {"type": "return"},
    },
}  # fmt: skip


def house() -> dict[str, Any]:
    made = tenant(
        flows={"payment": PAYMENT},
        parking={"slots": "701-702", "number": "700"},
        tiers={2: {"label": {"en": "Specialists"}, "authority": {"en": "Refunds up to 500"}}},
    )
    made["queues"] = {
        "sales": {
            "name": "Sales",
            "agents": ["alice"],
            "wrap_up": "30s",
            "record_on_demand": True,
            "interludes": ["payment"],
            "keys": {"1": {"flow": "voicemail"}},
            "escalate": {"queue": "second"},
        },
        "second": {
            "name": "Second line",
            "agents": ["boris"],
            "tier": 2,
            "wrap_up": "30s",
            "auto_answer": "3s",
        },
    }
    made["numbers"] = {NUMBER: {"queue": "sales"}}
    return made


VOICE = """(() => {
  const context = new AudioContext(), tone = context.createOscillator(), volume = context.createGain()
  tone.connect(volume)
  tone.start()
  window.voice = (hertz, loudness) => { tone.frequency.value = hertz; volume.gain.value = loudness }
  navigator.mediaDevices.getUserMedia = async () => {
    const out = context.createMediaStreamDestination()
    volume.connect(out)
    return out.stream
  }
})()"""
"A microphone that says what the test wants it to."


class Gate:
    """Holds back what a page asks for, as a slow line does."""

    def __init__(self, tab: Tab, address: str) -> None:
        self.held: list[Route] = []
        self.shut = True
        tab.context.route(re.compile(address), self._asked)

    def _asked(self, route: Route) -> None:
        if self.shut:
            self.held.append(route)
        else:
            route.continue_()

    def open(self) -> None:
        self.shut = False
        for one in self.held:
            one.continue_()


def leaves_a_message(stage: Stage, call: Call) -> None:
    stage.run(call.until(lambda: call.state == "talking"))
    stage.on_loop(lambda: call.press("1"))


def looks(tab: Tab, name: str) -> None:
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"call-{name}-{scheme}")))


def shows(tab: Tab, name: str) -> None:
    tab.shot(f"call-{name}")


def finish(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    expect(state(page)).to_contain_text("Ready")


def alice_ready_early(stage: Stage) -> tuple[Tab, Phone]:
    """Ready, pressed before there is anything to press: kept, told, and done."""
    phone = stage.phone("alice", "correct horse")
    phone.on_call = ignore
    alice = stage.browser("alice", sign_in=False)
    alice.context.add_init_script(DESK_PHONE)
    desk = Gate(alice, r"/assets/frame-[^/]*\.js$")
    alice.sign_in()
    alice.page.keyboard.press("Shift+F4")
    expect(alice.page.get_by_text("Ready in a moment")).to_be_visible()
    shows(alice, "early")
    desk.open()
    expect(state(alice.page)).to_contain_text(re.compile("Ready|Ringing"))
    return alice, phone


def boris_ready_early(stage: Stage) -> Tab:
    """The same while the phone in the page is on its way."""
    boris = stage.browser("boris", sign_in=False)
    boris.context.grant_permissions(["microphone"])
    boris.context.add_init_script(VOICE)
    line = Gate(boris, r"/api/v1/me/phone$")
    boris.sign_in()
    boris.page.keyboard.press("Shift+F4")
    expect(state(boris.page)).to_contain_text("Ready in a moment")
    expect(boris.page.get_by_text("The phone in this page is connecting")).to_be_visible()
    shows(boris, "phone-starts")
    line.open()
    expect(state(boris.page)).to_have_text(re.compile("Ready(?! in)"))
    expect(boris.page.get_by_text("The phone in this page is connecting")).to_have_count(0)
    return boris


def test_a_call_is_recorded_paid_in_and_parked() -> None:
    with Stage(house()) as stage:
        alice, phone = alice_ready_early(stage)
        caller = stage.call()
        call = pick_up(stage, alice, phone)
        stage.run(caller.hear_tone(700))
        records(alice)
        pays(stage, alice, caller)
        parks(stage, alice, phone, call, caller)
        alice.page.keyboard.press("Shift+F2")
        alice.until("the end of the call", lambda: caller.state == "over")
        (record,) = stage.centre.wait_contacts(1)
        assert [one["why"] for one in record["gaps"]] == ["asked", "payment", "payment"]
        assert record["recording"]


def test_a_message_is_heard_by_key_and_a_customer_goes_to_another_tier() -> None:
    with Stage(house()) as stage:
        friend = stage.call(number="+48600100201", hertz=1500.0)
        leaves_a_message(stage, friend)
        boris = boris_ready_early(stage)
        says_a_greeting(boris)
        alice, phone = at_desk(stage)
        ready(alice.page)
        hears_the_message(stage, alice, phone, friend)
        caller = stage.call()
        pick_up(stage, alice, phone)
        escalates(stage, alice, boris, caller)
        boris.page.keyboard.press("Shift+F2")
        alice.until("the end of the call", lambda: caller.state == "over")
        expect(state(boris.page)).to_contain_text("Wrap-up")
        record = next(one for one in stage.centre.wait_contacts(3) if one["from"] == "+48600100200")
        assert (record["outcome"], record["segments"][-1]["agent"]) == ("answered", "boris")
        assert [(one["reason"], one["tier"]) for one in record["escalations"]] == [("authority", 2)]


def says_a_greeting(boris: Tab) -> None:
    page = boris.page
    page.evaluate("voice(500, 0.5)")
    page.get_by_role("button", name="What keeps calls from me").click()
    greeting = page.get_by_role("region", name="Greeting")
    greeting.get_by_role("button", name="Record").click()
    page.wait_for_timeout(800)
    greeting.get_by_role("button", name="Done").click()
    expect(greeting).to_contain_text("Said to every caller from your queues")
    expect(greeting.get_by_role("button", name="Listen")).to_be_visible()
    looks(boris, "greeting")
    page.keyboard.press("Escape")
    page.evaluate("voice(900, 0.02)")


def hears_the_message(stage: Stage, alice: Tab, phone: Phone, friend: Call) -> None:
    page = alice.page
    stage.run(friend.until(lambda: friend.talk_seconds > 9.0))
    stage.on_loop(friend.hang_up)
    expect(state(page)).to_contain_text("Ringing")
    sound = page.get_by_label("Message of the customer")
    looks(alice, "message")
    for paused in (False, True, False):
        page.keyboard.press("Control+F2")
        alice.until("it obeys", lambda paused=paused: sound.evaluate("it => it.paused") is paused)
    alice.until("it plays", lambda: sound.evaluate("it => it.currentTime > 0.3 && it.duration > 1"))
    pick_up(stage, alice, phone)
    stage.run(phone.calls[0].hear_tone(1500))
    page.keyboard.press("Shift+F2")
    expect(state(page)).to_contain_text("Wrap-up")
    finish(page)


def records(alice: Tab) -> None:
    page = alice.page
    bar = page.get_by_role("region", name="Recording and steps")
    shows(alice, "may-record")
    bar.get_by_role("button", name="Record").click()
    expect(bar).to_contain_text(re.compile(r"Recording \d:\d\d"))
    shows(alice, "records")
    page.wait_for_timeout(500)
    page.keyboard.press("Shift+F8")
    expect(bar).to_contain_text(re.compile(r"Recording paused, goes on in \d:\d\d"))
    shows(alice, "paused")
    bar.get_by_role("button", name="Resume recording").click()
    expect(bar.get_by_role("button", name="Pause recording")).to_be_visible()


def pays(stage: Stage, alice: Tab, caller: Call) -> None:
    page = alice.page
    bar = page.get_by_role("region", name="Recording and steps")
    bar.get_by_role("button", name="Take payment").click()
    expect(bar).to_contain_text("The customer is in: Payment: Card number")
    expect(bar).to_contain_text("Not recorded during this step")
    looks(alice, "step")
    bar.get_by_role("button", name="Bring the customer back").click()
    stage.on_loop(caller.forget_heard)
    stage.run(caller.hear_tone(700))
    page.keyboard.press("Control+F9")
    expect(bar).to_contain_text("Card number")
    stage.on_loop(lambda: caller.press(CARD + "#"))
    expect(bar).to_contain_text("result: paid")
    expect(bar.get_by_role("button", name="Pause recording")).to_be_visible()
    shows(alice, "paid")
    assert CARD not in page.content()


def parks(stage: Stage, alice: Tab, phone: Phone, call: Call, caller: Call) -> None:
    page = alice.page
    page.keyboard.press("F9")
    dialog = page.get_by_role("dialog", name="Transfer")
    shows(alice, "transfer")
    dialog.get_by_role("button", name="Park").click()
    alice.until("her phone is free", lambda: call.state == "over")
    expect(state(page)).to_contain_text("Ready")
    parked = page.get_by_role("region", name="Parked")
    expect(parked).to_contain_text("701")
    shows(alice, "parked")
    parked.get_by_role("button").click()
    pick_up(stage, alice, phone)
    expect(parked).to_have_count(0)
    stage.on_loop(caller.forget_heard)
    stage.run(caller.hear_tone(700))


def escalates(stage: Stage, alice: Tab, boris: Tab, caller: Call) -> None:
    page = alice.page
    page.keyboard.press("F9")
    dialog = page.get_by_role("dialog", name="Transfer")
    dialog.get_by_role("button", name="Escalate").first.click()
    dialog.get_by_role("combobox", name="Why").click()
    page.get_by_role("option", name="Above my authority").click()
    expect(dialog).to_contain_text("Refunds up to 500")
    looks(alice, "escalate")
    dialog.get_by_role("button", name="Escalate").last.click()
    expect(state(page)).to_contain_text("Wrap-up")
    expect(state(boris.page)).to_contain_text("Ringing")
    # His queue has its calls answered by themselves.
    expect(boris.page.get_by_role("complementary")).to_contain_text("Answered by itself")
    shows(boris, "escalated")
    stage.on_loop(caller.forget_heard)
    expect(state(boris.page)).to_contain_text("In call")
    stage.run(caller.hear_tone(500))  # his greeting, once
    expect(boris.page.get_by_role("complementary")).to_contain_text("From Alice Kowalska")
    boris.page.evaluate("voice(900, 0.5)")
    stage.run(caller.hear_tone(900))
    looks(boris, "handed-on")
    stage.on_loop(caller.forget_heard)
    stage.run(caller.hear_tone(900))
    assert not caller.heard_tone(500)
    expect(control(boris.page, "hold")).not_to_have_attribute("aria-disabled", "true")
