"""One's own account: password, authenticator by QR code, sessions, tokens, passkeys, language; keyboard and axe."""

import re
import sqlite3
import time

import httpx
import pytest
from playwright.sync_api import Page, expect
from stage import PASSWORD, Stage, Tab

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

USERS = {"root": ["--role", "administrator"], "alice": ["--role", "agent", "--agent", "alice"]}
NEW = "staple horse battery"


def code_of(secret: str, at: float) -> str:
    """RFC 6238 with RFC 4226's truncation, written here from their texts."""
    import base64
    import hashlib
    import hmac

    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, int(at // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def section(page: Page, name: str) -> "Page":
    return page.get_by_role("region", name=name)  # type: ignore[return-value]


def authenticator(tab: Tab) -> None:
    session = tab.context.new_cdp_session(tab.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_password_authenticator_and_sessions() -> None:
    with Stage(users=USERS) as stage:
        other = stage.browser("root")
        tab = stage.browser("root", path="/account")
        page = tab.page
        section(page, "Where you are signed in").get_by_text("this browser").wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"account-{scheme}")))

        ends = page.get_by_role("button", name="Sign out everywhere else")
        ends.click()
        page.get_by_text("Signed out everywhere else.").wait_for()
        expect(ends).to_be_disabled()
        other.page.goto(other.base + "/account")
        other.page.get_by_role("heading", name="Sign in").wait_for()

        own = section(page, "Password")
        own.get_by_label("Present password").fill("not this one at all")
        own.get_by_label(re.compile("^New password")).fill(NEW)
        page.keyboard.press("Enter")
        own.get_by_text("The password is wrong.").wait_for()
        own.get_by_label("Present password").fill(PASSWORD)
        page.keyboard.press("Enter")
        own.get_by_text("The password is changed.").wait_for()

        totp = section(page, "Authenticator")
        totp.get_by_text("It is off.").wait_for()
        totp.get_by_role("button", name="Set up").click()
        totp.get_by_role("img", name=re.compile("Scan this")).wait_for()
        said = totp.get_by_text(re.compile("^Secret:")).inner_text()
        secret = said.partition(":")[2].replace(" ", "")
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"account-totp-{scheme}")))
        totp.get_by_label("The code that it shows now").fill("000000")
        page.keyboard.press("Enter")
        totp.get_by_role("alert").get_by_text("wrong").wait_for()
        totp.get_by_label("The code that it shows now").fill(code_of(secret, time.time()))
        page.keyboard.press("Enter")
        totp.get_by_text("It is on.").wait_for()

        again = stage.browser("root", sign_in=False)
        again.open("/")
        again.page.get_by_label("Name").fill("root")
        again.page.get_by_label("Password").first.fill(NEW)
        again.page.keyboard.press("Enter")
        # The code before was used up; the next one counts already, as clocks differ.
        again.page.get_by_label("Code of the authenticator").fill(code_of(secret, time.time() + 30))
        again.page.keyboard.press("Enter")
        again.page.get_by_role("button", name="My menu: root").wait_for()

        totp.get_by_role("button", name="Switch off").click()
        totp.get_by_label("Your password, to switch it off").fill(NEW)
        page.keyboard.press("Enter")
        totp.get_by_text("It is off.").wait_for()


def test_a_token_is_shown_once_and_works_until_it_is_removed() -> None:
    with Stage(users=USERS) as stage, httpx.Client(base_url=stage.base) as client:
        tab = stage.browser("root", path="/account")
        tokens = section(tab.page, "Tokens for programs")
        tokens.get_by_label("What it is for").fill("reports")
        tokens.get_by_label("Days it lasts").fill("30")
        tokens.get_by_role("switch").click()
        tokens.get_by_role("checkbox", name="queues").check()
        tokens.get_by_role("button", name="Make a token").click()
        secret = tokens.locator("input[readonly]").input_value()
        head = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/v1/me", headers=head).json()["permissions"] == ["queues"]
        assert client.get("/api/v1/admin/users", headers=head).status_code == 403
        tab.axe()
        tokens.get_by_role("button", name="Remove reports").click()
        expect(tokens.get_by_text("reports")).to_have_count(0)
        assert client.get("/api/v1/me", headers=head).status_code == 401


def test_a_passkey_is_made_and_signs_in() -> None:
    with Stage(users=USERS) as stage:
        tab = stage.browser("alice", sign_in=False)
        # Passkeys belong to a host with a name.
        tab.base = tab.base.replace("127.0.0.1", "localhost")
        authenticator(tab)
        tab.sign_in(path="/account")
        page = tab.page
        keys = section(page, "Passkeys")
        # Who finds a page open from the morning can't make themselves a key to it.
        with sqlite3.connect(stage.centre.data / "ledger.db") as db:
            db.execute("UPDATE people_sessions SET made_at = made_at - 400")
        db.close()
        keys.get_by_label("Name of this device").fill("Laptop")
        page.keyboard.press("Enter")
        keys.get_by_text("say your password first").wait_for()
        keys.get_by_label("Your password, to add it").fill("not this one")
        page.keyboard.press("Enter")
        keys.get_by_text("The password is wrong").wait_for()
        tab.axe()
        keys.get_by_label("Your password, to add it").fill(PASSWORD)
        page.keyboard.press("Enter")
        keys.get_by_text("Not used yet").wait_for()
        page.get_by_role("button", name="My menu: alice").click()
        page.get_by_role("menuitem", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_role("button", name="My menu: alice").wait_for()
        page.get_by_role("button", name="My menu: alice").click()
        page.get_by_role("menuitem", name="My account").click()
        keys.get_by_text("Last used").wait_for()
        keys.get_by_role("button", name="Remove Laptop").click()
        expect(keys.get_by_text("Laptop")).to_have_count(0)


def test_in_russian_on_a_telephone() -> None:
    with Stage(users=USERS) as stage:
        tab = stage.browser("alice", path="/account", language="ru-RU", size=(360, 740))
        page = tab.page
        page.get_by_role("heading", name="Моя учётная запись").wait_for()
        page.get_by_role("region", name="Где выполнен вход").wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"account-ru-{scheme}")))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_text("Polski", exact=True).click()
        page.get_by_role("heading", name="Moje konto").wait_for()
