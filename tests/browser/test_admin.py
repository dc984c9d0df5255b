"""The administrator's pages: queues, people, sounds, history, two at once; what is made there rings telephones."""

import io
import re
import wave

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Request, expect
from stage import AXE, PASSWORD, Stage, Tab, tenant

from centrala.testing.phone import answer_after

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

USERS = {"root": ["--role", "administrator"], "second": ["--role", "administrator"]}
NIGHT = "+48221230000"


def ready_tenant() -> dict[str, object]:
    made = tenant()
    made["agents"]["boris"]["ready_on_register"] = True
    return made


def admin(stage: Stage, path: str, name: str = "root", **more: object) -> Tab:
    tab = stage.browser(name, path=path, **more)  # type: ignore[arg-type]
    tab.page.get_by_role("heading").first.wait_for()
    return tab


def save(page: Page) -> None:
    """Ctrl+S shows what would change, Ctrl+Enter saves it."""
    page.keyboard.press("Control+s")
    page.get_by_role("heading", name="Review").wait_for()
    page.get_by_role("heading", name="What people will notice").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_text("Saved as version").wait_for()


def tone(seconds: float = 1.0) -> bytes:
    """A WAV file of 44100 Hz, stereo: as people have them, not as the centre keeps them."""
    at = np.arange(int(44100 * seconds)) / 44100
    sound = (np.sin(2 * np.pi * 440 * at) * 12000).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.repeat(sound, 2).tobytes())
    return out.getvalue()


def test_a_queue_with_agent_and_number_is_made_by_the_page_alone_and_rings() -> None:
    with Stage(ready_tenant(), USERS) as stage:
        phone = stage.phone("boris", "battery staple")
        phone.on_call = answer_after(0.2)
        tab = admin(stage, "/settings/queues")
        page = tab.page
        page.get_by_role("button", name="New queue").click()
        page.get_by_label("Name").fill("Nocna zmiana")
        expect(page.get_by_label("Id")).to_have_value("nocna-zmiana")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Nocna zmiana").wait_for()
        page.get_by_text("Nobody can answer").first.wait_for()
        page.get_by_role("checkbox", name="Boris Nowak").check()
        page.get_by_text("Can answer: Boris Nowak").wait_for()
        page.get_by_role("textbox", name="Add a number").fill(NIGHT)
        page.keyboard.press("Enter")
        page.get_by_label("Wrap-up", exact=True).fill("5")
        page.get_by_label("Wrap-up", exact=True).blur()
        expect(page.get_by_label("Wrap-up", exact=True)).to_have_value("5s")
        page.get_by_text("2 changes").wait_for()
        tab.shot("admin-queue-new")
        page.get_by_role("link", name="Review").click()
        page.get_by_text("A new queue: Nocna zmiana, with 1 agent.").wait_for()
        page.get_by_text(f"{NIGHT} now reaches Queue: Nocna zmiana.").wait_for()
        tab.shot("admin-review")
        page.get_by_text("As YAML").click()
        page.get_by_text(re.compile(r"\+\s+agents:")).first.wait_for()
        tab.shot("admin-yaml")
        page.get_by_role("textbox", name=re.compile("Why")).fill("the night shift begins")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved as version 1. It counts already.").wait_for()
        tab.shot("admin-saved")

        call = stage.call(NIGHT)
        stage.run(call.hear_tone(700))
        stage.on_loop(call.hang_up)

        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Taken back; now version 2.").wait_for()
        page.get_by_role("link", name="History").click()
        page.get_by_text("the night shift begins").wait_for()
        page.get_by_text("Back to version 0").wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"admin-history-{scheme}")))
        page.get_by_role("button", name="Restore this: Version 1").click()
        page.get_by_role("heading", name="Version 3").wait_for()
        again = stage.call(NIGHT, number="+48600100201")
        stage.run(again.hear_tone(700))
        stage.on_loop(again.hang_up)


def test_keys_of_the_file_are_told_and_kept_and_mistakes_lead_to_their_field() -> None:
    with Stage(tenant(), USERS) as stage:
        tab = admin(stage, "/settings/queues/sales")
        page = tab.page
        wrap_up = page.get_by_label("Wrap-up", exact=True)
        assert wrap_up.get_attribute("readonly") is not None
        page.get_by_text(re.compile(r"centre\.yaml, line \d+: change it there")).first.wait_for()
        expect(page.get_by_role("checkbox", name="Alice Kowalska")).to_be_disabled()
        assert page.get_by_role("button", name="Take away", exact=True).count() == 0

        wait = page.get_by_label("Longest wait", exact=True)
        wait.fill("soon")
        wait.blur()
        page.get_by_text("Write a time such as 15s, 10m or 1h30m").wait_for()
        page.get_by_role("link", name="1 problem").click()
        page.get_by_role("heading", name="This can’t be saved yet").wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"admin-problems-{scheme}")))
        page.keyboard.press("Control+Enter")
        page.get_by_role("heading", name="This can’t be saved yet").wait_for()
        page.get_by_role("link", name="Queues · sales · Longest wait").click()
        expect(wait).to_be_focused()
        # A typed word is kept over a reload.
        page.reload()
        expect(page.get_by_label("Longest wait", exact=True)).to_have_value("soon")
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_label("Longest wait", exact=True)).to_have_value("")
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_label("Longest wait", exact=True)).to_have_value("soon")


def test_two_people_at_once_see_both_values_and_choose() -> None:
    with Stage(tenant(), USERS) as stage:
        one = admin(stage, "/settings/queues/sales")
        two = admin(stage, "/settings/queues/sales", "second")
        for tab, ring, wait in ((one, "20s", "5m"), (two, "30s", "8m")):
            tab.page.get_by_label("Ring for", exact=True).fill(ring)
            tab.page.get_by_label("Longest wait", exact=True).fill(wait)
        save(one.page)
        page = two.page
        page.get_by_label("Name", exact=True).fill("Telefony")
        page.keyboard.press("Control+s")
        page.get_by_role("heading", name="Somebody else changed the same").wait_for()
        page.get_by_text("Changed by root at").wait_for()
        ring = page.get_by_role("row", name=re.compile("Ring for"))
        wait = page.get_by_role("row", name=re.compile("Longest wait"))
        expect(ring).to_contain_text("30s")
        expect(ring).to_contain_text("20s")
        two.both_schemes(lambda scheme: (two.axe(), two.shot(f"admin-race-{scheme}")))
        ring.get_by_label("30s").check()
        wait.get_by_label("5m").check()
        page.get_by_role("button", name="Go on with these").click()
        page.get_by_role("heading", name="Review").wait_for()
        assert page.get_by_role("row", name=re.compile("Longest wait")).count() == 0
        page.get_by_role("heading", name="What people will notice").wait_for()
        page.keyboard.press("Control+Enter")
        page.get_by_text("Saved as version 2").wait_for()
        page.goto(two.base + "/settings/queues/sales")
        expect(page.get_by_label("Ring for", exact=True)).to_have_value("30s")
        expect(page.get_by_label("Longest wait", exact=True)).to_have_value("5m")
        expect(page.get_by_label("Name", exact=True)).to_have_value("Telefony")


def test_a_user_is_made_and_comes_in_by_a_link_and_is_blocked() -> None:
    with Stage(tenant(), USERS) as stage:
        tab = admin(stage, "/settings/users")
        page = tab.page
        page.get_by_role("button", name="New user").click()
        page.keyboard.type("karol")
        page.get_by_role("checkbox", name="Supervisor").check()
        page.get_by_role("combobox", name="Acts as the agent").click()
        page.get_by_role("option", name="Alice Kowalska").click()
        page.get_by_role("button", name="Make", exact=True).click()
        page.get_by_text("karol can sign in with this password, once:").wait_for()
        page.get_by_role("button", name="One-time link").click()
        url = page.locator("input[value*='/link#']").input_value()
        tab.shot("admin-user")
        tab.both_schemes(lambda _: tab.axe())

        guest = stage.browser("karol", sign_in=False)
        guest.page.goto(url)
        guest.page.get_by_role("heading", name="Choose your own password").wait_for()
        guest.both_schemes(lambda scheme: (guest.axe(), guest.shot(f"must-change-{scheme}")))
        guest.page.keyboard.type("short")
        guest.page.keyboard.press("Enter")
        guest.page.get_by_text("At least 10 characters.").wait_for()
        guest.page.get_by_label(re.compile("New password")).fill(PASSWORD)
        guest.page.keyboard.press("Enter")
        guest.page.get_by_role("button", name="My menu: karol").wait_for()

        page.get_by_role("checkbox", name="Agent", exact=True).uncheck()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved.", exact=True).wait_for()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("checkbox", name="Agent", exact=True)).to_be_checked()
        page.get_by_role("button", name="Block", exact=True).click()
        page.get_by_role("button", name="Let in again").wait_for()
        guest.page.goto(guest.base + "/account")
        guest.page.get_by_role("heading", name="Sign in").wait_for()
        # The link was good once.
        other = stage.browser("other", sign_in=False)
        other.page.goto(url)
        other.page.get_by_role("alert").filter(has_text=re.compile(r"\w")).wait_for()


def test_sounds_are_taken_heard_and_chosen_and_garbage_is_not() -> None:
    with Stage(tenant(), USERS) as stage:
        tab = admin(stage, "/settings/sounds")
        page = tab.page
        files = page.locator("input[type=file]")
        files.set_input_files(
            [
                {"name": "Poczekaj chwilę.wav", "mimeType": "audio/wav", "buffer": tone(2.0)},
                {"name": "notes.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound at all" * 99},
            ]
        )
        page.get_by_text("poczekaj-chwile is there").wait_for()
        page.get_by_text("notes.mp3 was not taken: this is no sound file").wait_for()
        page.get_by_role("rowheader", name="poczekaj-chwile").wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"admin-sounds-{scheme}")))
        page.get_by_role("button", name="Play: poczekaj-chwile").click()
        page.get_by_role("button", name="Stop: poczekaj-chwile").wait_for()

        page.get_by_role("button", name="Delete: poczekaj-chwile").click()
        page.get_by_text("poczekaj-chwile is deleted.").wait_for()
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("rowheader", name="poczekaj-chwile").wait_for()

        page.get_by_role("link", name="Queues", exact=True).first.click()
        page.get_by_role("link", name=re.compile("^claims")).click()
        page.get_by_label("Music on hold").click()
        page.get_by_role("option", name="poczekaj-chwile").click()
        save(page)
        page.get_by_role("link", name="Sounds").click()
        page.get_by_role("link", name="queues.claims.music").wait_for()
        page.get_by_role("button", name="Delete: poczekaj-chwile").click()
        page.get_by_text("It is in use").wait_for()


def test_keyboard_alone_makes_an_agent_with_skills_and_a_phone() -> None:
    with Stage(tenant(), USERS) as stage:
        tab = admin(stage, "/settings/agents")
        page = tab.page
        page.get_by_role("button", name="New agent").focus()
        page.keyboard.press("Enter")
        page.keyboard.type("Ольга Петрова")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Ольга Петрова").wait_for()
        page.get_by_text("olga-petrova").first.wait_for()
        page.get_by_role("combobox", name="Add a skill").focus()
        page.keyboard.type("russian")
        page.keyboard.press("Enter")
        page.get_by_label("russian: Level").focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("10")
        page.get_by_role("button", name="Make one").focus()
        page.keyboard.press("Enter")
        secret = page.get_by_label("Phone’s password").input_value()
        assert len(secret) == 20
        page.keyboard.press("Control+s")
        page.get_by_role("heading", name="Review").wait_for()
        page.get_by_text("A new agent: Ольга Петрова").wait_for()
        assert secret not in page.content(), "secrets aren't shown in the review"
        page.keyboard.press("Control+Enter")
        page.get_by_text("Saved as version 1").wait_for()
        phone = stage.phone("olga-petrova", secret)
        assert phone is not None
        page.goto(tab.base + "/audit")
        page.get_by_role("cell", name="changed the settings").wait_for()
        assert secret not in page.content()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"admin-audit-{scheme}")))


def test_routing_in_full_is_filled_in_on_the_page_and_read_back() -> None:
    """Stages, who is known, tiers, experts, callbacks, parking: typed here, checked at their fields, saved as one."""
    after_call = {"name": "After the call", "start": "end", "nodes": {"end": {"type": "hang_up"}}}
    with Stage(tenant(flows={"after": after_call}), USERS) as stage:
        tab = admin(stage, "/settings/queues/claims")
        page = tab.page

        def choose(field: Locator, option: str) -> None:
            field.click(force=True)
            page.get_by_role("option", name=option, exact=True).click()

        def row(key: str) -> Locator:
            return page.locator(f"[data-key='{key}']")

        def go(section: str, title: str) -> None:
            sections = page.get_by_role("navigation", name="Settings")
            sections.get_by_role("link", name=re.compile(f"^{section}")).click()
            page.get_by_role("heading", name=title, level=1).wait_for()

        # A stage that opens to nobody is told so where it stands, and so is a number that is none.
        row("widen").get_by_role("button", name="Add a stage").click()
        one = row("widen").get_by_role("region", name="Stage 1")
        one.get_by_text("opens to nobody; expected needs or queues").wait_for()
        one.get_by_label("Waited for").fill("90s")
        one.get_by_label("So many wait").fill("many")
        one.get_by_label("So many wait").blur()
        one.get_by_text("Write a whole number from 1").wait_for()
        one.get_by_label("So many wait").fill("4")
        one.get_by_label("Add a skill").fill("polish")
        one.get_by_label("Add a skill").press("Enter")
        one.get_by_label("polish: Level").fill("2")
        choose(one.get_by_role("combobox", name="Who serves"), "sales")
        page.keyboard.press("Escape")
        expect(one.get_by_text("opens to nobody")).to_have_count(0)
        for key in ("announce", "last_agent", "follow_up", "balance"):
            row(key).get_by_role("switch").first.check(force=True)
        row("announce").get_by_label("Then every").fill("1m")
        row("announce").get_by_role("switch", name="The estimated wait").uncheck(force=True)
        choose(row("announce").get_by_role("combobox", name="Add a message"), "builtin:please_hold")
        row("last_agent").get_by_label("Waits for them for").fill("2h")
        row("last_agent").get_by_label("Waits for them for").blur()
        row("last_agent").get_by_text("From 0 s to 3600 s.").wait_for()
        row("last_agent").get_by_label("Waits for them for").fill("20s")
        row("follow_up").get_by_label("After").fill("5m")
        row("balance").get_by_label("Never lent, so many").fill("1")
        row("tier").get_by_role("textbox").fill("2")
        row("callbacks").get_by_label("Attempts").fill("2")
        choose(row("keys").get_by_role("combobox", name="Add"), "1")
        expect(row("keys").get_by_role("combobox", name="Which")).to_have_value("Callback")
        for key in ("brief", "record_on_demand"):
            row(key).get_by_role("switch").check(force=True)
        choose(row("survey").get_by_role("combobox"), "After the call")
        tab.axe()
        tab.shot("admin-routing-queue")

        go("Tiers and experts", "Tiers and experts")
        choose(page.get_by_role("combobox", name="Add a tier"), "Tier 2")
        page.get_by_label("Tier 2, Name: English").fill("Specialists")
        page.get_by_label("Tier 2, May decide: Polish").fill("Zwroty do 500")
        page.get_by_label("New expert").fill("Law office")
        page.keyboard.press("Enter")
        law = page.get_by_role("article", name="Law office")
        law.get_by_text("expected either number").wait_for()
        law.get_by_label("Number (over a trunk)").fill("twelve")
        law.get_by_label("Number (over a trunk)").blur()
        law.get_by_text("'twelve' is no telephone number").wait_for()
        law.get_by_label("Number (over a trunk)").fill("+48221234599")
        law.get_by_label("Number (over a trunk)").blur()
        expect(law.get_by_text("is no telephone number")).to_have_count(0)
        law.get_by_label("Tier", exact=True).fill("2")
        page.get_by_role("button", name="Make them our own").click()
        page.get_by_label("asked: English").fill("The customer wants it")
        page.get_by_label("asked: English").blur()
        tab.axe()
        tab.shot("admin-tiers")

        go("General", "General")
        row("parking").get_by_role("switch").check(force=True)
        row("parking").get_by_label("Numbers to pick up").fill("720-701")
        row("parking").get_by_label("Numbers to pick up").blur()
        row("parking").get_by_text("expected the lower number first").wait_for()
        row("parking").get_by_label("Numbers to pick up").fill("701-720")
        row("parking").get_by_label("Number to park").fill("700")
        row("callbacks").get_by_label("Countries").press_sequentially("de,cz,")
        tab.shot("admin-routing-house")
        go("Queues", "Queues")
        page.get_by_role("link", name=re.compile("^claims")).click()
        choose(row("escalate").get_by_role("combobox", name="Leads to"), "Expert")
        choose(row("escalate").get_by_role("combobox", name="Which"), "Law office")

        page.keyboard.press("Control+s")
        page.get_by_role("heading", name="What people will notice").wait_for()
        page.get_by_text("Waited for 90s / So many wait 4 → polish ≥ 2, sales").wait_for()
        page.get_by_text("Expert: Law office").wait_for()
        tab.shot("admin-routing-review")
        page.keyboard.press("Control+Enter")
        page.get_by_text("Saved as version 1").wait_for()
        tree = page.request.get(f"{tab.base}/api/v1/admin/settings").json()["tree"]
        claims = tree["queues"]["claims"]
        assert claims["widen"] == [
            {"after": "90s", "length": "4", "needs": {"polish": "2"}, "queues": ["sales"]}
        ]
        assert claims["announce"] == {"every": "1m", "wait": False, "messages": ["builtin:please_hold"]}
        assert claims["last_agent"] == {"wait": "20s"}
        assert (claims["follow_up"], claims["balance"]) == ({"after": "5m"}, {"reserve": "1"})
        assert (claims["escalate"], claims["keys"]) == ({"expert": "law-office"}, {"1": {"flow": "callback"}})
        assert (claims["callbacks"], claims["survey"]) == ({"attempts": "2"}, "after")
        assert str(claims["tier"]) == "2"
        assert tree["tiers"] == {"2": {"label": {"en": "Specialists"}, "authority": {"pl": "Zwroty do 500"}}}
        assert tree["experts"] == {
            "law-office": {"name": "Law office", "number": "+48221234599", "tier": "2"}
        }
        assert tree["escalation_reasons"]["asked"]["label"]["en"] == "The customer wants it"
        assert (tree["parking"], tree["callbacks"]) == (
            {"slots": "701-720", "number": "700"},
            {"countries": ["DE", "CZ"]},
        )
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Taken back; now version 2.").wait_for()
        expect(row("widen").get_by_role("region", name="Stage 1")).to_have_count(0)


PAGES = (
    "users",
    "agents/alice",
    "teams",
    "queues/sales",
    "numbers",
    "tiers",
    "calendars/weekdays",
    "sounds",
    "trunks/office",
    "reasons",
    "dispositions",
    "house",
    "clients",
    "history",
)

GO = """async (path) => {
  history.pushState(null, '', path)
  dispatchEvent(new PopStateEvent('popstate'))
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
}"""
LOOK = """async (only) => {
  const { violations } = await axe.run(document, only ? { runOnly: only } : {})
  const where = (node) => `${node.target.join(' ')} ${node.any[0]?.message ?? node.failureSummary ?? ''}`
  return violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map(where).slice(0, 4).join(' | ')}`)
}"""


@pytest.mark.parametrize(("language", "size"), [("ru-RU", (1280, 800)), ("pl-PL", (400, 800))])
def test_every_page_in_both_schemes(language: str, size: tuple[int, int]) -> None:
    house = tenant(
        clients={"shop": {"name": "Sklep Kwiaty"}},
        teams={"evening": {"name": "Evening", "agents": ["alice"]}},
        dispositions={"sold": {"en": "Sold", "pl": "Sprzedane", "ru": "Продано"}},
        calendars={"weekdays": {"hours": {"mon-fri": "9:00-17:00"}}},
        experts={"law": {"phone": "sip:law@192.0.2.7", "tier": "2"}},
    )
    with Stage(house, USERS) as stage:
        tab = admin(stage, "/settings/queues", language=language, size=size)
        page = tab.page
        page.evaluate(AXE.read_text())
        asked: set[Request] = set()
        page.on("request", lambda one: asked.add(one) if "/api/" in one.url else None)
        page.on("requestfinished", lambda one: asked.discard(one))
        page.on("requestfailed", lambda one: asked.discard(one))
        titles: set[str] = set()
        for one in PAGES:
            # As links do, without loading all of it anew: the page and axe stay.
            page.evaluate(GO, f"/settings/{one}")
            titles.add(page.locator("main h1").first.inner_text())
            tab.until(f"{one}: all that it asks for", lambda: not asked)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                # Of all that is looked for, contrast alone depends on the scheme.
                found = page.evaluate(LOOK, ["color-contrast"] if scheme == "dark" else None)
                assert not found, f"{page.url}, {scheme}: " + "\n".join(found)
                tab.shot(f"admin-{language[:2]}-{one.replace('/', '-')}-{scheme}")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size[0], f"{one} is wider than the window: {width}"
        assert len(titles) == len(PAGES), f"some were the page before: {sorted(titles)}"
