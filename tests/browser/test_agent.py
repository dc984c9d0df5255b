"""The agent's day by the page: ready, a call, its card before the answer, hold, ask, join, result, finish, my day."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from stage import Stage, Tab, tenant

from centrala.testing.call import Call
from centrala.testing.phone import Phone, answer_after, ignore

pytestmark = pytest.mark.browser

DESK_PHONE = "localStorage.setItem('centrala.phone', 'desk')"
LABELS = {
    "sold": ("Sold", "Sprzedane", "Продано"),
    "later": ("Call later", "Zadzwonić później", "Перезвонить"),
    "wrong": ("Wrong number", "Pomyłka", "Не туда"),
}


def house(**more: Any) -> dict[str, Any]:
    made = tenant(
        reasons={
            "lunch": {"label": {"en": "Lunch", "pl": "Przerwa obiadowa", "ru": "Обед"}, "limit": "30m"},
            "training": {"label": {"en": "Training", "pl": "Szkolenie", "ru": "Обучение"}},
        },
        dispositions={one: {"label": {"en": en, "pl": pl, "ru": ru}} for one, (en, pl, ru) in LABELS.items()},
        **more,
    )
    made["queues"]["sales"] |= {"name": "Sales", "dispositions": list(LABELS), "wrap_up": "60s"}
    return made


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage(house()) as made:
        yield made


def at_desk(stage: Stage, name: str = "alice", **more: Any) -> tuple[Tab, Phone]:
    """An agent with a phone on the desk, signed in to the page, not yet ready."""
    phone = stage.phone(name, "correct horse" if name == "alice" else "battery staple")
    phone.on_call = ignore
    tab = stage.browser(name, sign_in=False, **more)
    tab.context.add_init_script(DESK_PHONE)
    tab.sign_in()
    expect(state(tab.page)).to_contain_text(re.compile("Signed out|Wylogowanie|Вне смены"))
    return tab, phone


def state(page: Page) -> Any:
    return page.locator("header button").first


def control(page: Page, name: str) -> Any:
    return page.locator(f"[data-control={name}]")


def enabled(page: Page, *names: str) -> None:
    """Exactly these controls of the call bar can be pressed."""
    for one in ("answer", "hold", "mute", "transfer", "join", "digits", "end"):
        if one in names:
            expect(control(page, one)).not_to_have_attribute("aria-disabled", "true")
        else:
            expect(control(page, one)).to_have_attribute("aria-disabled", "true")


def ready(page: Page) -> None:
    page.keyboard.press("Shift+F4")
    expect(state(page)).to_contain_text("Ready")


def pick_up(stage: Stage, tab: Tab, phone: Phone) -> Call:
    tab.until("a call at the phone", lambda: bool(phone.calls))
    call = phone.calls[0]
    stage.on_loop(call.accept)
    expect(state(tab.page)).to_contain_text("In call")
    return call


def boxes(page: Page) -> list[tuple[float, float, float]]:
    found = []
    for one in ("answer", "hold", "mute", "transfer", "join", "digits", "end"):
        box = control(page, one).bounding_box()
        assert box
        found.append((round(box["x"]), round(box["y"]), round(box["width"])))
    return found


def test_a_call_from_ready_to_finish_by_keyboard_alone(stage: Stage) -> None:
    tab, phone = at_desk(stage)
    page = tab.page
    enabled(page)
    places = boxes(page)
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-signed-out-{scheme}")))
    ready(page)
    tab.until("the title", lambda: page.title().startswith("○"))
    caller = stage.call()

    # Before the answer: who, from which queue, how long, why me; the phone on the desk answers.
    expect(state(page)).to_contain_text("Ringing")
    offer = page.locator("[aria-live=assertive]")
    expect(offer).to_contain_text("+48 600 100 200")
    expect(offer).to_contain_text("Sales")
    expect(control(page, "answer")).to_contain_text("Pick up your phone")
    enabled(page, "end")
    assert boxes(page) == places
    tab.until("the title", lambda: page.title().startswith("◔ Sales"))
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-ringing-{scheme}")))
    pick_up(stage, tab, phone)
    stage.run(caller.hear_tone(700))
    enabled(page, "hold", "mute", "transfer", "digits", "end")
    assert boxes(page) == places
    expect(page.get_by_role("radiogroup")).to_contain_text("Sold")
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-talk-{scheme}")))

    page.keyboard.press("F4")
    expect(state(page)).to_contain_text("On hold")
    expect(control(page, "hold")).to_contain_text("Resume")
    assert boxes(page) == places
    page.keyboard.press("F4")
    expect(state(page)).to_contain_text("In call")
    page.keyboard.press("F8")
    expect(control(page, "mute")).to_contain_text("Muted")
    page.keyboard.press("F8")
    expect(control(page, "mute")).to_contain_text("Mute")
    expect(control(page, "mute")).to_have_attribute("aria-pressed", "false")

    # A state chosen in the call comes after it, and can be taken back.
    page.keyboard.press("Shift+F4")
    page.get_by_role("menuitem", name="Lunch").wait_for()
    page.keyboard.press("1")
    page.get_by_role("button", name="then Lunch").click()
    expect(page.get_by_role("button", name="then Lunch")).to_have_count(0)

    stage.on_loop(caller.hang_up)
    expect(state(page)).to_contain_text("Wrap-up")
    enabled(page)
    assert boxes(page) == places
    page.keyboard.press("Control+Enter")  # never disabled: it says what is missing, and goes there
    expect(page.get_by_text("Choose a result first.")).to_be_visible()
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-wrap-up-{scheme}")))
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="Call later")).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(state(page)).to_contain_text("Ready")
    page.goto(stage.base + "/day")
    expect(page.get_by_role("row").nth(1)).to_contain_text("+48 600 100 200")
    page.get_by_role("button", name="Hear the recording").click()
    expect(page.locator("audio")).to_have_count(1)
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-day-{scheme}")))


def test_ask_a_colleague_swap_join_and_leave(stage: Stage) -> None:
    tab, phone = at_desk(stage)
    page = tab.page
    other, others_phone = at_desk(stage, "boris")
    ready(page)
    caller = stage.call()
    pick_up(stage, tab, phone)
    others_phone.on_call = answer_after(0.5)
    places = boxes(page)
    page.keyboard.press("F9")
    page.get_by_role("combobox", name="Name or number").wait_for()
    page.keyboard.type("boris")
    expect(page.get_by_role("option")).to_have_count(1)
    tab.axe()
    page.keyboard.press("Enter")
    lanes = page.get_by_role("complementary").get_by_role("list").first
    expect(lanes).to_contain_text(re.compile("hears music.*talks with you"))
    expect(control(page, "end")).to_contain_text("Drop Boris Nowak")
    enabled(page, "hold", "mute", "transfer", "join", "digits", "end")
    assert boxes(page) == places
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-consult-{scheme}")))
    page.keyboard.press("F4")
    expect(lanes).to_contain_text(re.compile("talks with you.*hears music"))
    page.keyboard.press("F4")
    expect(lanes).to_contain_text(re.compile("hears music.*talks with you"))
    page.keyboard.press("Shift+F9")
    expect(control(page, "join")).to_contain_text("Leave, they go on")
    expect(control(page, "end")).to_contain_text("End for all")
    expect(control(other.page, "end")).to_contain_text("Leave")
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-conference-{scheme}")))
    assert boxes(page) == places
    stage.run(caller.hear_tone(700))
    page.keyboard.press("Shift+F9")
    expect(state(page)).to_contain_text("Wrap-up")
    expect(state(other.page)).to_contain_text("In call")
    enabled(other.page, "hold", "mute", "transfer", "digits", "end")
    other.page.keyboard.press("Shift+F2")
    tab.until("the caller is gone", lambda: caller.state == "over")


def test_what_is_typed_survives_a_reload_and_a_lost_line(stage: Stage) -> None:
    tab, phone = at_desk(stage)
    page = tab.page
    ready(page)
    stage.call()
    pick_up(stage, tab, phone)
    note = page.get_by_label("Note", exact=True)
    note.fill("Anna wants the blue one <b>now</b>")
    page.reload()
    expect(note).to_have_value("Anna wants the blue one <b>now</b>")
    tab.context.set_offline(True)
    note.fill("typed without a line")
    expect(page.get_by_text("Line to the centre lost.")).to_be_visible(timeout=30_000)
    tab.axe()
    tab.shot("agent-line-lost")
    tab.context.set_offline(False)
    expect(page.get_by_text("Line to the centre lost.")).to_have_count(0, timeout=30_000)
    expect(note).to_have_value("typed without a line")
    expect(state(page)).to_contain_text("In call")
    # Another browser of the same agent has it too: the centre keeps drafts.
    note.press("End")
    page.keyboard.type(".")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    second = stage.browser("alice", sign_in=False)
    second.context.add_init_script(DESK_PHONE)
    second.sign_in()
    expect(second.page.get_by_label("Note", exact=True)).to_have_value("typed without a line.")


def test_names_with_markup_are_text_and_cards_are_found(stage: Stage) -> None:
    tab, phone = at_desk(stage)
    page = tab.page
    ready(page)
    caller = stage.call()
    pick_up(stage, tab, phone)
    page.get_by_label("Given name").fill("<img src=x onerror=alert(1)>")
    page.get_by_label("Family name").fill("O'Hara & {n}")
    page.get_by_role("button", name="Open the card").click()
    name = "<img src=x onerror=alert(1)> O'Hara & {n}"
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_role("complementary")).to_contain_text(name)
    assert page.locator("img[src=x]").count() == 0
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"agent-card-{scheme}")))
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Given name").fill("Scarlett")
    tab.axe()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("heading", name="Scarlett O'Hara & {n}")).to_be_visible()
    stage.on_loop(caller.hang_up)
    expect(state(page)).to_contain_text("Wrap-up")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(state(page)).to_contain_text("Ready")
    # She calls again: her name stands there before the answer.
    again = stage.call()
    expect(page.locator("[aria-live=assertive]")).to_contain_text("Scarlett O'Hara")
    stage.on_loop(again.hang_up)
    expect(page.get_by_role("complementary")).to_contain_text("hung up after")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").wait_for()
    page.keyboard.type("scarl")
    page.get_by_role("option", name="Scarlett").wait_for()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/customers/."))
    page.get_by_role("heading", name="Scarlett").wait_for()
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"customer-{scheme}")))
    page.goto(stage.base + "/customers")
    page.get_by_role("button", name="Scarlett").wait_for()
    tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"customers-{scheme}")))


def test_two_people_edit_one_card(stage: Stage) -> None:
    tab, _ = at_desk(stage)
    page = tab.page
    page.goto(stage.base + "/customers")
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Given name").fill("Anna")
    page.get_by_role("button", name="Open the card").click()
    page.get_by_role("button", name="Edit").click()
    other, _ = at_desk(stage, "boris")
    other.open(re.sub(r"^.*?//[^/]+", "", page.url))
    other.page.get_by_role("button", name="Edit").click()
    page.get_by_label("Given name").fill("Hanna")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Hanna")).to_be_visible()
    other.page.get_by_label("Given name").fill("Joanna")
    other.page.get_by_role("button", name="Save").click()
    other.page.get_by_role("alert").wait_for()
    expect(other.page.get_by_role("alert")).to_contain_text("alice")
    expect(other.page.get_by_role("alert").get_by_role("radio")).to_have_count(2)
    expect(other.page.get_by_role("button", name="Save")).to_be_disabled()
    other.both_schemes(lambda scheme: (other.axe(), other.shot(f"edit-race-{scheme}")))
    other.page.get_by_role("radio", name="Joanna").check()
    other.page.get_by_role("button", name="Save").click()
    expect(other.page.get_by_role("heading", name="Joanna")).to_be_visible()
    other.page.get_by_text("Changes", exact=True).click()
    expect(other.page.get_by_role("listitem").filter(has_text="Hanna")).not_to_have_count(0)


def test_decline_and_a_missed_call_are_said(stage: Stage) -> None:
    tab, phone = at_desk(stage)
    page = tab.page
    ready(page)
    caller = stage.call()
    expect(state(page)).to_contain_text("Ringing")
    page.keyboard.press("Shift+F2")
    tab.until("the phone is silent", lambda: not phone.calls)
    expect(page.get_by_role("complementary")).to_contain_text("kept the place")
    stage.on_loop(caller.hang_up)


def test_click_to_call_rings_the_own_phone_first(stage: Stage) -> None:
    tab, phone = at_desk(stage)
    page = tab.page
    other = stage.phone("boris", "battery staple", hertz=900.0)
    other.on_call = answer_after(0.5)
    phone.on_call = answer_after(0.5)
    ready(page)
    field = page.get_by_role("textbox", name="Call a number")
    field.wait_for()
    page.keyboard.press("F2")
    expect(field).to_be_focused()
    page.keyboard.type("boris")
    page.keyboard.press("Enter")
    expect(state(page)).to_contain_text("In call", timeout=20_000)
    tab.until("the other phone", lambda: bool(other.calls) and other.calls[0].state == "talking")
    stage.run(other.calls[0].hear_tone(700))
    page.keyboard.press("Shift+F2")
    tab.until("all is over", lambda: not phone.calls and not other.calls)


@pytest.mark.parametrize("language", ["pl-PL", "ru-RU"])
def test_every_page_of_an_agent_in_other_languages_and_narrow(stage: Stage, language: str) -> None:
    tab, phone = at_desk(stage, language=language, size=(360, 740))
    page = tab.page
    short = language[:2]
    tab.shot(f"agent-{short}-360-signed-out")
    page.keyboard.press("Shift+F4")
    stage.call()
    tab.until("a call", lambda: bool(phone.calls))
    page.wait_for_timeout(500)
    tab.axe()
    tab.shot(f"agent-{short}-360-ringing")
    stage.on_loop(phone.calls[0].accept)
    page.get_by_role("radiogroup").first.wait_for(state="attached")
    page.wait_for_timeout(500)
    tab.axe()
    tab.shot(f"agent-{short}-360-talk")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} wide"
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(300)
    tab.shot(f"agent-{short}-talk")
    english = page.get_by_text(re.compile(r"\b(Hold|Mute|Transfer|Digits|Result|Note|Save|Wrap-up)\b"))
    assert english.count() == 0, english.all_inner_texts()
    page.goto(stage.base + "/day")
    page.wait_for_timeout(500)
    tab.axe()
    tab.shot(f"agent-{short}-day")


def test_the_first_load_is_small_and_soon_usable(stage: Stage) -> None:
    """Bytes as they cross the wire on a cold cache, from an empty tab to the Work page of an agent."""
    tab, _ = at_desk(stage)
    cookies = tab.context.cookies()
    fresh = stage.browser("alice", sign_in=False)
    fresh.context.add_init_script(DESK_PHONE)
    fresh.context.add_cookies(cookies)  # type: ignore[arg-type]
    session = fresh.context.new_cdp_session(fresh.page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    fresh.open("/work")
    control(fresh.page, "end").wait_for()
    fresh.page.get_by_role("heading", name="My day").wait_for()
    fresh.page.wait_for_load_state("networkidle")
    took = fresh.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    total = sum(received) / 1000
    print(f"first load: {total:.0f} kB over {len(received)} requests, first paint after {took:.0f} ms")
    assert total <= 350, f"{total:.0f} kB"


def test_the_phone_in_the_page_answers_by_f2_and_lives_in_one_tab(stage: Stage) -> None:
    tab = stage.browser("alice")
    page = tab.page
    lamps = page.get_by_role("button", name="What keeps calls from me")
    expect(lamps).to_have_accessible_name(re.compile("Line fine"))
    ready(page)
    caller = stage.call()
    expect(state(page)).to_contain_text("Ringing")
    enabled(page, "answer", "end")
    # Typed letters never answer, and F2 does it from any field.
    page.get_by_role("link", name="Customers").click()
    field = page.get_by_role("textbox", name="Name, company or number")
    field.fill("ann")
    expect(state(page)).to_contain_text("Ringing")
    enabled(page, "answer", "end")
    field.press("F2")
    expect(state(page)).to_contain_text("In call")
    assert stage.run(caller.answered())
    field.press("F2")  # pressed twice by mistake: nothing ends
    enabled(page, "hold", "mute", "transfer", "digits", "end")
    page.keyboard.press("F8")
    expect(control(page, "mute")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("F8")
    expect(control(page, "mute")).to_have_attribute("aria-pressed", "false")
    tab.shot("agent-page-phone")
    page.keyboard.press("Shift+F2")
    tab.until("the caller is gone", lambda: caller.state == "over")
    expect(state(page)).to_contain_text("Wrap-up")
    # Another tab of the same browser hasn't the phone, until it is moved there.
    second = tab.context.new_page()
    second.goto(stage.base + "/work")
    move = second.get_by_role("button", name="Move it here")
    move.wait_for()
    move.click()
    expect(move).to_have_count(0)
    page.bring_to_front()
    expect(page.get_by_role("button", name="Move it here")).to_be_visible()
