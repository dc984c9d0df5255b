"""The planner's pages: a plan is made, read, changed by pointer and by keys, saved, taken back and published."""

import json
import re

import pytest
from playwright.sync_api import Locator, Route, expect
from stage import Stage, Tab, tenant

pytestmark = pytest.mark.browser

AGENTS = {
    "alice": "Alice Kowalska",
    "boris": "Boris Nowak",
    "cecil": "Cecil Lis",
    "dana": "Dana Wrona",
    "ewa": "Ewa Zając",
    "filip": "Filip Sowa",
}
USERS = {"Paula Plan": ["--role", "planner"], "chief": ["--role", "supervisor"]}
SECONDS = 60_000
"""A first plan on a machine may have to compile what it is reckoned by."""


def house() -> Stage:
    settings = tenant(
        agents={one: {"name": name, "sip_password": "correct horse"} for one, name in AGENTS.items()},
        queues={
            "sales": {"name": "Sales", "agents": list(AGENTS)},
            "claims": {"name": "Claims", "agents": ["boris", "cecil", "dana"]},
        },
    )
    return Stage(settings, USERS)


def minutes(clock: str) -> int:
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def start_of(bar: Locator) -> int:
    found = re.match(r"(\d\d:\d\d)–", bar.get_attribute("aria-label") or "")
    assert found
    return minutes(found[1])


def hasty(route: Route) -> None:
    """A second's search is enough here; the page offers none below five."""
    asked = route.request.post_data_json
    if asked is None:
        return route.continue_()
    assert asked["seconds"] == 5
    return route.continue_(post_data=json.dumps({**asked, "seconds": 1}))


def look(tab: Tab, name: str) -> None:
    tab.axe()
    tab.shot(name)


def test_a_plan_is_made_changed_and_published() -> None:
    with house() as stage:
        tab = stage.browser("Paula Plan", path="/plans")
        page = tab.page

        # Made from a typed week, as there is no history.
        page.get_by_role("link", name="Plans").first.wait_for()
        page.get_by_role("button", name="New plan").first.click()
        page.get_by_label("First day").first.click()
        page.get_by_role("option", name="this week").click()
        page.get_by_text("Typed week").click()
        page.get_by_label("Search for").first.click()
        page.get_by_role("option", name="5 seconds").click()
        claims = page.get_by_role("group", name="Week of Claims")
        claims.get_by_label("Contacts an hour (Claims, time 1)").fill("x")
        expect(claims.get_by_role("alert")).to_contain_text("Give a time from and to")
        claims.get_by_label("Contacts an hour (Claims, time 1)").fill("12")
        expect(claims).to_contain_text("600 contacts a week, 40 hours of handling")
        look(tab, "planner-new")
        page.route("**/api/v1/plans", hasty)
        page.get_by_role("button", name="Make the plan").click()
        page.get_by_role("progressbar", name="Being made").wait_for()
        board = page.get_by_role("region", name="Roster")
        board.wait_for(timeout=SECONDS)
        expect(page.get_by_text("No rule is broken.")).to_be_visible()
        tab.shot("planner-week")

        # A day of it: a shift is pulled to another time, and the centre says what that does.
        board.get_by_role("group", name="Day or week").get_by_role("button").nth(1).click()
        bar = board.locator("[data-duty]").first
        duty = bar.get_attribute("data-duty")
        bar = board.locator(f'[data-duty="{duty}"]')
        before = start_of(bar)
        bar.scroll_into_view_if_needed()
        box = bar.bounding_box()
        assert box is not None
        hour = box["width"] / 8.5
        page.mouse.move(box["x"] + 40, box["y"] + 12)
        page.mouse.down()
        page.mouse.move(box["x"] + 40 + hour, box["y"] + 12, steps=4)
        page.mouse.up()
        effect = board.get_by_role("status")
        expect(effect).to_contain_text(
            re.compile(r"1 change not saved Hours missing [\d.]+ → [\d.]+"), timeout=SECONDS
        )
        assert start_of(bar) == before + 60
        expect(page.get_by_role("button", name="Publish")).to_be_disabled()
        page.get_by_role("link", name="People and rules").click()
        expect(page.get_by_role("row", name=re.compile("Alice Kowalska"))).to_contain_text("40")
        page.go_back()
        expect(effect).to_contain_text(re.compile("1 change not saved Hours missing"))
        board.get_by_role("group", name="Day or week").get_by_role("button").nth(1).click()
        assert start_of(bar) == before + 60

        # By keys: half an hour earlier is no start of this kind of shift, which is said; undone, it is as it was.
        bar.press("ArrowLeft")
        expect(effect).to_contain_text("the shift doesn’t begin at this time", timeout=SECONDS)
        assert start_of(bar) == before + 30
        expect(effect.get_by_role("button", name="Save all the same")).to_be_visible()
        tab.both_schemes(lambda scheme: look(tab, f"planner-broken-{scheme}"))
        effect.get_by_role("button", name="Undo").click()
        expect(effect).to_contain_text("Breaks no rule.")
        assert start_of(bar) == before + 60

        # Saved, taken back, saved again.
        effect.get_by_role("button", name="Save").click()
        expect(effect).to_contain_text("Saved.")
        effect.get_by_role("button", name="Take the saved changes back").click()
        expect(effect).to_contain_text("Breaks no rule.")
        assert start_of(bar) == before
        effect.get_by_role("button", name="Save").click()
        expect(effect).to_contain_text("Saved.")
        page.reload()
        board.get_by_role("group", name="Day or week").get_by_role("button").nth(1).click()
        assert start_of(bar) == before

        # Removed by a key, and discarded; Enter opens a shift.
        bar.press("Delete")
        expect(bar).to_have_count(0)
        expect(effect).to_contain_text("1 change not saved")
        page.keyboard.press("Control+KeyZ")
        expect(bar).to_have_count(1)
        bar.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Sales")
        tab.shot("planner-duty")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

        # Published: whoever leads reads it, and can't change it.
        page.get_by_role("button", name="Publish").click()
        expect(dialog).to_contain_text("6 agents see their shifts")
        dialog.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("● Published")).to_be_visible()
        chief = stage.browser("chief", path="/plans", size=(420, 800))
        chief.page.get_by_role("link", name=re.compile("Week of")).click()
        expect(chief.page.get_by_text("Your role reads plans; a planner changes them.")).to_be_visible()
        chief.page.get_by_role("group", name="Day or week").get_by_role("button").nth(1).click()
        first = chief.page.locator("[data-duty]").first
        first.press("Delete")
        expect(first).to_be_visible()
        expect(chief.page.get_by_text("not saved")).to_have_count(0)
        look(chief, "planner-telephone")

        # The day against it.
        chief.page.get_by_role("link", name="Plan and day").click()
        expect(chief.page.get_by_role("row", name=re.compile("Alice Kowalska"))).to_be_visible()
        expect(chief.page.get_by_role("region", name="Requests")).to_contain_text("Nobody asks for anything.")
        look(chief, "planner-today")
