"""An agent's own roster in the browser: the week, a swap with a colleague, days off, the calendar's address."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from stage import Stage

from centrala.planning import open_plans
from tests.unit.plan_scenes import scene

pytestmark = pytest.mark.browser

AGENTS = ("alice", "boris", "c3", "c4", "c5", "c6", "c7", "c8")
ZONE = ZoneInfo("Europe/Warsaw")


def publish(data: Path, monday: date, id: str) -> None:
    """The scene, worked by in that week."""
    plans = open_plans(data)
    try:
        plan = plans.add("acme", scene(AGENTS, ("sales", "claims"), monday, str(ZONE), id=id))
        plans.publish("acme", id, plan.head.version, datetime.now(ZONE).timestamp())
    finally:
        plans.close()


def test_my_schedule_by_keyboard_and_mouse() -> None:
    with Stage() as stage:
        today = datetime.now(ZONE).date()
        monday = today - timedelta(today.weekday())
        publish(stage.centre.data, monday, "now")
        publish(stage.centre.data, monday + timedelta(7), "next")
        alice = stage.browser("alice", path="/schedule")
        page = alice.page
        week = page.get_by_role("region", name="Week")
        expect(week.locator("li[data-day]")).to_have_count(7)
        first = week.locator("li[data-day]").first
        expect(first).to_contain_text("08:00–16:30")
        expect(week.locator("li[data-day]").last).to_contain_text("free")
        expect(page.get_by_role("region", name="What comes next")).to_contain_text("shift")
        first.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(first).to_contain_text("12:00–12:30 Break (unpaid)")
        alice.axe()  # the dark one is Boris's
        alice.shot("schedule")
        page.get_by_role("button", name="Week after").click()
        expect(first).to_have_attribute("data-day", str(monday + timedelta(7)))

        # A swap: Boris has the late shift of that day.
        first.get_by_role("button", name="Swap or give").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Note").fill("the dentist")
        expect(dialog.locator("strong").first).to_have_text("Boris")
        alice.axe()
        alice.shot("schedule-hand")
        dialog.get_by_role("button", name="10:00–18:30 Boris").first.click()
        expect(dialog).to_have_count(0)
        mine = page.get_by_role("region", name="Requests")
        expect(mine).to_contain_text("waits for the colleague")

        boris = stage.browser("boris", size=(400, 800), language="pl-PL", scheme="dark")
        boris.open("/schedule")
        asked = boris.page.get_by_role("region", name="Prośby")
        expect(asked).to_contain_text("prosi o zamianę")
        expect(asked).to_contain_text("the dentist")
        boris.axe()
        boris.shot("schedule-phone")
        asked.get_by_role("button", name="Zgadzam się").click()
        expect(asked).to_contain_text("czeka na decyzję")

        off = page.get_by_role("form", name="Ask for days off")
        off.get_by_label("From").fill(str(monday + timedelta(16)))
        off.get_by_label("Note").fill("a wedding")
        off.get_by_label("Note").press("Enter")
        line = mine.locator("li").filter(has_text="a wedding")
        expect(line).to_contain_text("waits for a decision")
        line.get_by_role("button", name="Take back").click()
        expect(line).to_contain_text("taken back")

        calendar = page.get_by_role("region", name="In my calendar")
        calendar.get_by_role("button", name="Make an address").click()
        address = calendar.get_by_label("Address of my calendar").input_value()
        assert address.startswith(f"{stage.base}/api/v1/roster/")
        # Whoever knows it needs no session.
        stranger = stage.browser("nobody", sign_in=False)
        got = stranger.context.request.get(address)
        assert got.headers["content-type"].startswith("text/calendar")
        assert "BEGIN:VEVENT" in got.text()
        calendar.get_by_role("button", name="Take the address back").click()
        expect(calendar.get_by_role("button", name="Make an address")).to_be_visible()
        assert stranger.context.request.get(address).status == 404
        alice.shot("schedule-end")
