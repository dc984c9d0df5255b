"""The way in: pages are served as they should be, signing in by keyboard, first sign-up, languages, both schemes."""

import gzip
import re

import httpx
import pytest
from stage import PASSWORD, Stage

pytestmark = pytest.mark.browser


def test_files_are_kept_for_ever_and_the_page_is_asked_for_each_time() -> None:
    with Stage(users={}) as stage, httpx.Client(base_url=stage.base) as client:
        page = client.get("/work")
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-cache"
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        first = re.search(r"'nonce-([^']+)'", policy)
        again = re.search(r"'nonce-([^']+)'", client.get("/").headers["content-security-policy"])
        assert first
        assert again
        assert first[1] != again[1]
        assert f'content="{first[1]}"' in page.text
        scripts = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
        assert scripts
        for path in scripts:
            plain = client.get(path, headers={"accept-encoding": "identity"})
            packed = client.get(path, headers={"accept-encoding": "gzip"})
            assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert plain.headers["x-content-type-options"] == "nosniff"
            if len(plain.content) >= 512:
                assert packed.headers["content-encoding"] == "gzip"
            assert packed.content == plain.content
        with client.stream("GET", scripts[0], headers={"accept-encoding": "gzip"}) as raw:
            body = b"".join(raw.iter_raw())
        assert gzip.decompress(body) == client.get(scripts[0]).content
        assert client.get("/assets/old-12345678.js").status_code == 404
        assert client.get("/../centre.yaml").status_code == 404
        assert client.post("/work").status_code == 405
        api = client.get("/api/v1/nothing")
        assert api.headers["content-type"] == "application/problem+json"
        assert "default-src 'none'" in api.headers["content-security-policy"]


def test_sign_in_by_keyboard_wrong_then_right_and_out_again() -> None:
    with Stage() as stage:
        tab = stage.browser("alice", sign_in=False)
        page = tab.page
        tab.open("/")
        page.locator("form input").first.wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"sign-in-{scheme}")))
        page.keyboard.type("alice")
        page.keyboard.press("Tab")
        page.keyboard.type("wrong password")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("Name or password is wrong.").wait_for()
        page.get_by_label("Password").first.fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="My menu: alice").click()
        page.get_by_role("menuitemradio", name="Русский").click()
        page.get_by_role("menuitem", name="Выйти").click()
        page.get_by_role("heading", name="Вход").wait_for()
        page.get_by_text("Polski").click()
        page.get_by_role("heading", name="Logowanie").wait_for()
        page.reload()
        page.get_by_role("heading", name="Logowanie").wait_for()


def test_the_first_start_makes_the_first_user_and_finds_the_pages() -> None:
    with Stage(users={}) as stage:
        line = stage.centre.wait_output(r"^sign-up acme: ")
        found = re.search(r"([A-Za-z0-9_-]{20,})", line)
        assert found, line
        tab = stage.browser("root", sign_in=False)
        tab.open("/sign-up#" + found[1])
        page = tab.page
        page.get_by_role("heading", name="First start").wait_for()
        tab.both_schemes(lambda scheme: (tab.axe(), tab.shot(f"sign-up-{scheme}")))
        assert page.get_by_label("Sign-up code").input_value() == found[1]
        page.get_by_label("Name").fill("root")
        page.get_by_label("Password").first.fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="My menu: root").wait_for()
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("Shift+Slash")
        page.get_by_text("Find anything").wait_for()
        tab.axe()
