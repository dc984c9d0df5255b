"""The supervisor's pages with real calls: the board, the floor, who hears whom, moving callers, messages, looks."""

import re
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect
from stage import PASSWORD, Stage, Tab, tenant

from centrala.testing.call import Call
from centrala.testing.phone import Phone, answer_after

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

SALES, CLAIMS = "+48221234567", "+48221234568"
USERS = {
    "alice": ["--role", "agent", "--agent", "alice"],
    "chief": ["--role", "supervisor", "--agent", "maria"],
}


def house(**more: Any) -> dict[str, Any]:
    """Two agents and a supervisor with a hard phone of her own; Claims has strict limits."""
    made = tenant(
        agents={
            "alice": {"name": "Alice Kowalska", "sip_password": "correct horse", "ready_on_register": False},
            "boris": {"name": "Boris Nowak", "sip_password": "battery staple", "ready_on_register": False},
            "maria": {
                "name": "Maria Zielińska",
                "sip_password": "staple battery",
                "ready_on_register": False,
            },
        },
        teams={"morning": {"name": "Morning", "agents": ["alice", "boris"]}},
        queues={
            "sales": {"name": "Sales", "agents": ["alice"], "wrap_up": "30s"},
            "claims": {"name": "Claims", "agents": ["boris"], "wrap_up": "10s"},
        },
    )
    return made | more


def ready(stage: Stage, chief: Tab, agent: str) -> None:
    """As the supervisor makes an agent ready: through the page's own session."""
    chief.page.get_by_role("navigation").wait_for()
    done = chief.page.evaluate(
        "async agent => (await fetch(`/api/v1/floor/agents/${agent}/ready`,"
        " {method: 'POST', headers: {'X-Centrala': '1', 'Idempotency-Key': crypto.randomUUID()}})).status",
        agent,
    )
    assert done == 200


def dial(stage: Stage, tab: Tab, to: str, number: str = "+48600100200") -> Call:
    """A caller who tries again when a centre on a busy machine turns calls away."""
    while True:
        call = stage.call(to, number=number)
        tab.until("an answer", lambda call=call: call.status > 100 or call.state == "over")
        if call.state != "over":
            return call
        assert call.status == 503, call.status


def figure(tab: Tab, queue: str, name: str = "waiting") -> Any:
    return tab.page.locator(f"[data-queue={queue}] [data-figure={name}]").first


def loudness(call: Call, hertz: float) -> float:
    """Amplitude of this tone in the last half second, whatever else is heard with it: the mix of a call has several."""
    last = call.heard[-4000:]
    if len(last) < 4000:
        return 0.0
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(last)) / 8000)
    return float(2 * abs(np.mean(last * turns)))


def hears_tones(tab: Tab, call: Call, *hertz: float) -> None:
    """These, and none other of those that are in the house."""

    def right() -> bool:
        return all((loudness(call, one) > 1500) == (one in hertz) for one in (440.0, 700.0, 1000.0))

    tab.until(f"{hertz} alone are heard", right, 25.0)


def silent(phone: Phone) -> None:
    phone.on_call = answer_after(0.2)


def test_the_board_shows_who_waits_and_callers_are_raised_and_moved() -> None:
    with Stage(house(), USERS) as stage:
        chief = stage.browser("chief", path="/wallboard")
        page = chief.page
        expect(figure(chief, "claims")).to_have_text("0")
        first = dial(stage, chief, CLAIMS, number="+48600100201")
        expect(figure(chief, "claims")).to_have_text("1", timeout=3000)
        second = dial(stage, chief, CLAIMS, number="+48600100202")
        expect(figure(chief, "claims")).to_have_text("2", timeout=3000)
        expect(figure(chief, "sales")).to_have_text("0")

        page.get_by_role("link", name="Claims").first.click()
        places = page.get_by_role("region", name="Who waits").locator("li")
        expect(places).to_have_count(2)
        expect(places.nth(0)).to_contain_text("+48 600 100 201")
        members = page.get_by_role("region", name="Who may answer").locator("li")
        expect(members).to_have_count(1)
        expect(members.first).to_contain_text("Boris Nowak")

        places.nth(1).get_by_role("button", name="Raise").click()
        expect(places.nth(0)).to_contain_text("+48 600 100 202")
        expect(places.nth(0)).to_contain_text("priority 10: before 1 who waits longer")
        page.get_by_role("button", name="Undo").click()
        expect(places.nth(0)).to_contain_text("+48 600 100 201")

        places.nth(0).get_by_role("button", name="Move").click()
        page.get_by_role("menuitem", name=re.compile("Sales")).click()
        expect(places).to_have_count(1)
        expect(page.get_by_text("Moved to Sales.")).to_be_visible()
        chief.open("/wallboard")
        expect(figure(chief, "sales")).to_have_text("1")
        expect(figure(chief, "claims")).to_have_text("1")

        # Whoever was moved is served there; the other one stays.
        phone = stage.phone("alice", "correct horse")
        silent(phone)
        ready(stage, chief, "alice")
        chief.until("the moved caller talks", lambda: first.answered_at is not None and bool(phone.calls))
        expect(figure(chief, "sales")).to_have_text("0")
        assert not second.phone.calls or second.state != "over"
        stage.run(first.hear_tone(700, within=25.0))


def test_listen_whisper_barge_and_take_over_follow_the_mixer() -> None:
    with Stage(house(), USERS) as stage:
        alice, maria = (
            stage.phone("alice", "correct horse", hertz=700.0),
            stage.phone("maria", "staple battery", hertz=1000.0),
        )
        silent(alice)
        silent(maria)
        chief = stage.browser("chief", sign_in=False)
        # Her page's own telephone is kept away, so that the hard phone rings, whose sound can be measured.
        chief.page.route_web_socket(re.compile("/api/v1/sip"), lambda socket: socket.close())
        chief.sign_in(path="/floor/alice")
        page = chief.page
        ready(stage, chief, "alice")
        caller = dial(stage, chief, SALES)
        hears = page.get_by_role("region", name="Who hears whom")
        expect(hears).to_be_visible()
        expect(hears.get_by_text("You are not in this call.")).to_be_visible()
        expect(hears.get_by_role("button", name="Whisper")).to_be_disabled()

        hears.get_by_role("button", name="Listen").click()
        expect(hears.get_by_text("You hear: both. You are heard by: nobody.")).to_be_visible()
        chief.until("Maria's phone is in", lambda: bool(maria.calls) and maria.calls[0].state == "talking")
        mine, hers = maria.calls[0], alice.calls[0]
        hears_tones(chief, mine, 440, 700)
        hears_tones(chief, hers, 440)
        hears_tones(chief, caller, 700)
        chief.shot("supervisor-listen")

        hears.get_by_role("button", name="Whisper").click()
        expect(hears.get_by_role("button", name=re.compile("Hold to talk"))).to_be_visible()
        expect(hears.get_by_text("You are heard by: nobody.")).to_be_visible()
        page.keyboard.down("F8")
        expect(hears.get_by_text("You are heard by: Alice Kowalska.")).to_be_visible()
        hears_tones(chief, hers, 440, 1000)
        hears_tones(chief, caller, 700)
        chief.shot("supervisor-whisper")
        page.keyboard.up("F8")
        expect(hears.get_by_text("You are heard by: nobody.")).to_be_visible()

        hears.get_by_role("button", name="Barge").click()
        expect(hears.get_by_text("You are heard by: both.")).to_be_visible()
        hears_tones(chief, caller, 700, 1000)
        hears_tones(chief, hers, 440, 1000)

        hears.get_by_role("button", name="Take over").click()
        expect(hears.get_by_text("You talk with the customer from now on")).to_be_visible()
        hears.get_by_role("group", name="Take over").get_by_role("button", name="Take over").click()
        chief.until("Alice is out", lambda: hers.state == "over")
        expect(page.locator("[data-agent=alice][data-state=wrap_up]")).to_be_visible()
        expect(page.locator("[data-agent=maria][data-state=on_contact]")).to_be_visible()
        hears_tones(chief, caller, 1000)
        hears_tones(chief, mine, 440)


def test_the_pages_own_telephone_answers_by_itself_when_one_listens() -> None:
    with Stage(house(), USERS) as stage:
        silent(stage.phone("alice", "correct horse"))
        chief = stage.browser("chief", path="/floor/alice")
        ready(stage, chief, "alice")
        dial(stage, chief, SALES)
        hears = chief.page.get_by_role("region", name="Who hears whom")
        hears.get_by_role("button", name="Listen").click()
        expect(hears.get_by_text("You hear: both. You are heard by: nobody.")).to_be_visible()
        hears.get_by_role("button", name="Stop").click()
        expect(hears.get_by_text("You are not in this call.")).to_be_visible()


def test_a_message_stands_on_the_desk_and_an_agent_is_paused_and_logged_out() -> None:
    with Stage(house(), USERS) as stage:
        stage.phone("alice", "correct horse")
        alice = stage.browser("alice", path="/work")
        chief = stage.browser("chief", path="/floor")
        page = chief.page
        ready(stage, chief, "alice")
        cell = page.locator("[data-agent=alice]")
        expect(cell).to_have_attribute("data-state", "ready")
        cell.click()
        panel = page.get_by_role("complementary", name="Alice Kowalska")
        expect(panel.get_by_role("link", name="Sales")).to_be_visible()

        panel.get_by_role("button", name="Message").click()
        page.get_by_role("textbox", name="Text").fill("Please call the warehouse back.")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("On 1 desk, for 10 minutes.")).to_be_visible()
        expect(alice.page.get_by_text("Please call the warehouse back.").first).to_be_visible()
        page.get_by_role("button", name="Close").last.click()

        panel.get_by_role("button", name="Not ready").click()
        page.get_by_role("menuitem", name="Lunch").click()
        expect(cell).to_have_attribute("data-state", "not_ready")
        expect(cell).to_contain_text("Lunch")

        panel.get_by_role("button", name="Log out").click()
        expect(panel.get_by_text("Log out Alice Kowalska?")).to_be_visible()
        panel.get_by_role("group", name="Log out").get_by_role("button", name="Log out").click()
        expect(cell).to_have_attribute("data-state", "logged_out")
        # Another state dims; nobody moves, nobody goes.
        page.get_by_role("button", name=re.compile("^Phone lost|^Signed out")).first.click()
        expect(page.locator("[data-agent=alice]")).to_be_visible()


def test_controls_that_one_may_not_use_say_why() -> None:
    users = {**USERS, "plain": ["--role", "supervisor"], "root": ["--role", "administrator"]}
    with Stage(house(), users) as stage:
        silent(stage.phone("alice", "correct horse"))
        plain = stage.browser("plain", path="/floor/alice")
        ready(stage, plain, "alice")
        dial(stage, plain, SALES)
        hears = plain.page.get_by_role("region", name="Who hears whom")
        expect(hears.get_by_role("button", name="Listen")).to_be_disabled()
        expect(hears.get_by_text("Your account has no telephone here")).to_be_visible()
        root = stage.browser("root", path="/floor/alice")
        expect(root.page.get_by_role("button", name="Log out")).to_be_disabled()
        expect(root.page.get_by_text("Your roles don’t allow this").first).to_be_attached()


def strict() -> dict[str, Any]:
    """A house whose Claims alarm as soon as one waits."""
    made = house()
    made["queues"]["claims"]["thresholds"] = {"waiting": {"warn": 1, "alarm": 2}}
    made["queues"] |= {
        "post": {"name": "Парковка и пропуска", "agents": ["alice"]},
        "info": {"name": "Infolinia ogólna", "agents": ["alice", "boris"]},
        "tech": {
            "name": "Technical support",
            "agents": ["boris"],
            "thresholds": {"waiting": {"warn": 1, "alarm": 9}},
        },
    }
    made["numbers"] |= {"+48221234569": {"queue": "tech"}}
    return made


def test_an_alarm_has_a_cause_a_way_on_and_looks_that_need_no_colour() -> None:
    with Stage(strict(), USERS) as stage:
        silent(stage.phone("alice", "correct horse"))
        chief = stage.browser("chief", path="/wallboard")
        page = chief.page
        calls = [dial(stage, chief, CLAIMS, number=f"+4860010021{n}") for n in range(3)]
        dial(stage, chief, "+48221234569", number="+48600100220")
        tile = page.locator("article[data-queue=claims]")
        expect(tile).to_have_attribute("data-level", "alarm", timeout=25_000)
        expect(tile.get_by_role("img", name="alarm")).to_be_visible()
        expect(page.locator("article[data-queue=tech]")).to_have_attribute("data-level", "warn")
        chief.both_schemes(lambda scheme: (chief.axe(), chief.shot(f"wallboard-{scheme}")))

        ready(stage, chief, "alice")  # free, and not one of Claims: that is the proposal
        chief.open("/alarms")
        alarm = page.locator("article[data-queue=claims]")
        expect(alarm.get_by_text("2 callers wait, or more")).to_be_visible()
        expect(alarm.get_by_text(re.compile("^Move 1 caller to .*: 1 agent is free there"))).to_be_visible()
        chief.both_schemes(lambda scheme: (chief.axe(), chief.shot(f"alarms-{scheme}")))
        alarm.get_by_role("button", name="Mute 10 min").click()
        expect(alarm.get_by_role("button", name=re.compile("Sound again"))).to_be_visible()
        alarm.get_by_role("button", name="Do it").click()
        expect(alarm.get_by_text(re.compile("^1 caller moved to "))).to_be_visible()
        chief.until("the moved caller is served", lambda: any(one.answered_at for one in calls))

        for path, name in (
            ("/floor", "floor"),
            ("/floor/alice", "agent"),
            ("/queues/claims", "queue"),
            ("/queues", "queues"),
        ):
            chief.open(path)
            page.locator("h1").wait_for()
            page.wait_for_timeout(600)
            chief.both_schemes(lambda scheme, name=name: (chief.axe(), chief.shot(f"{name}-{scheme}")))

        page.set_viewport_size({"width": 1920, "height": 1080})
        chief.open("/wall")
        page.locator("article").first.wait_for()
        assert page.locator("html").get_attribute("data-mantine-color-scheme") == "dark"
        page.wait_for_timeout(600)
        chief.shot("wall")
        sizes = page.locator("article").first.evaluate(
            "one => ['h2', 'p'].map(name => parseFloat(getComputedStyle(one.querySelector(name)).fontSize))"
        )
        assert sizes[0] >= 0.052 * 1080 - 0.1
        assert sizes[1] >= 0.105 * 1080 - 0.1
        chief.axe()
        page.mouse.move(100, 100)
        page.get_by_role("button", name="Leave").click()
        expect(page).to_have_url(re.compile("/wallboard$"))
        assert page.locator("html").get_attribute("data-mantine-color-scheme") == "light"


def test_a_telephone_of_360_pixels() -> None:
    with Stage(strict(), USERS) as stage:
        silent(stage.phone("alice", "correct horse"))
        chief = stage.browser("chief", size=(360, 740), path="/wallboard", has_touch=True)
        page = chief.page
        ready(stage, chief, "alice")
        for number in range(3):
            dial(stage, chief, CLAIMS, number=f"+4860010023{number}")
        row = page.locator("li[data-queue=claims]")
        expect(row).to_have_attribute("data-level", "alarm", timeout=25_000)
        expect(row.get_by_role("button", name="Do it")).to_be_visible()
        for path, name in (
            ("/wallboard", "board"),
            ("/floor", "floor"),
            ("/floor/alice", "agent"),
            ("/queues/claims", "queue"),
            ("/alarms", "alarms"),
        ):
            chief.open(path)
            page.locator("main :is(h1, h2):visible").first.wait_for()
            page.wait_for_timeout(600)
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= 360, f"{path} is {wide} px wide"
            chief.both_schemes(lambda scheme, name=name: (chief.axe(), chief.shot(f"phone-{name}-{scheme}")))


def test_the_order_of_queues_is_the_users_and_stays() -> None:
    with Stage(strict(), USERS) as stage:
        chief = stage.browser("chief", path="/wallboard")
        page = chief.page
        names = page.locator("article h2")
        expect(names).to_have_count(5)
        before = names.all_inner_texts()
        page.get_by_role("button", name="Arrange").click()
        page.get_by_role("button", name=f"{before[1]}: earlier").click()
        page.get_by_role("button", name="Done").click()
        assert names.all_inner_texts() == [before[1], before[0], *before[2:]]
        page.reload()
        expect(names).to_have_count(5)
        assert names.all_inner_texts() == [before[1], before[0], *before[2:]]


def test_the_password_and_nothing_else_lets_a_supervisor_in() -> None:
    """An agent's account sees neither the board nor the floor, and may not act on others."""
    with Stage(house(), USERS) as stage:
        alice = stage.browser("alice", path="/wallboard")
        expect(alice.page.get_by_text("There is no such page")).to_be_visible()
        with httpx.Client(base_url=stage.base) as client:
            client.post(
                "/api/v1/session", json={"name": "alice", "password": PASSWORD}, headers={"X-Centrala": "1"}
            )
            said = client.post("/api/v1/floor/agents/boris/ready", headers={"X-Centrala": "1"})
        assert said.status_code == 403
