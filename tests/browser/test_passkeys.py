"""Passkeys with Chromium's virtual authenticator: made, listed, used to sign in, removed, and not to be replayed."""

import json
import shutil
import socket
import subprocess
import sys
from typing import Any

import pytest
from bench import Centre
from playwright.sync_api import Page, sync_playwright

from centrala.testing.ports import free

pytestmark = pytest.mark.browser

GOOD = "correct horse battery"

ASK = """async ([method, path, body]) => {
  const answer = await fetch('/api/v1' + path, {
    method, headers: {'X-Centrala': '1', ...(body ? {'Content-Type': 'application/json'} : {})},
    body: body ? JSON.stringify(body) : undefined,
  });
  const text = await answer.text();
  return [answer.status, text ? JSON.parse(text) : null];
}"""
MAKE = """async options => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({publicKey})).toJSON();
}"""
GET = """async options => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({publicKey})).toJSON();
}"""


def ask(page: Page, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    status, said = page.evaluate(ASK, [method, path, body])
    return status, said


def authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_signs_in() -> None:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    config = {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {"acme": {"domain": "acme.example", "name": "Acme", "agents": {"alice": {}}}},
    }
    chromium = shutil.which("chromium")
    with Centre(config) as running, sync_playwright() as play:
        command = [
            sys.executable,
            "-m",
            "centrala",
            "user",
            "add",
            "alice",
            "--role",
            "agent",
            "--agent",
            "alice",
        ]
        subprocess.run(
            [*command, "--data", str(running.data), "--tenant", "acme"],
            input=GOOD + "\n",
            text=True,
            check=True,
            timeout=60,
            capture_output=True,
        )
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            authenticator(page)
            page.goto(f"http://localhost:{http}/")
            signed = ask(page, "POST", "/session", {"tenant": "acme", "name": "alice", "password": GOOD})
            assert signed[0] == 200
            assert ask(page, "GET", "/me/passkeys") == (200, {"items": []})

            status, options = ask(page, "POST", "/me/passkeys/begin")
            assert (status, options["rp"]) == (200, {"name": "Acme", "id": "localhost"})
            made = page.evaluate(MAKE, options)
            body = {"credential": made, "label": "Laptop"}
            status, kept = ask(page, "POST", "/me/passkeys", body)
            assert (status, kept["label"], kept["used_at"]) == (201, "Laptop", None)
            assert ask(page, "POST", "/me/passkeys", body)[1]["code"] == "CODE-WRONG", (
                "a challenge counts once"
            )

            assert ask(page, "DELETE", "/session")[0] == 204
            assert ask(page, "GET", "/me")[0] == 401
            _, options = ask(page, "POST", "/session/passkey/begin")
            used = page.evaluate(GET, options)
            broken = json.loads(json.dumps(used))
            broken["response"]["signature"] = broken["response"]["signature"][:-8] + "AAAAAAAA"
            assert ask(page, "POST", "/session/passkey", {"credential": broken})[1]["code"] == "SIGN-IN-WRONG"
            assert ask(page, "POST", "/session/passkey", {"credential": used})[1]["code"] == "SIGN-IN-WRONG"
            _, options = ask(page, "POST", "/session/passkey/begin")
            used = page.evaluate(GET, options)
            status, me = ask(page, "POST", "/session/passkey", {"credential": used})
            assert (status, me["name"], me["via"]) == (200, "alice", "session")
            assert ask(page, "POST", "/session/passkey", {"credential": used})[1]["code"] == "SIGN-IN-WRONG"

            items = ask(page, "GET", "/me/passkeys")[1]["items"]
            assert [(one["label"], one["used_at"] is not None) for one in items] == [("Laptop", True)]
            assert ask(page, "DELETE", f"/me/passkeys/{items[0]['id']}")[0] == 204
            assert ask(page, "DELETE", f"/me/passkeys/{items[0]['id']}")[0] == 404
            _, options = ask(page, "POST", "/session/passkey/begin")
            gone = page.evaluate(GET, options)
            assert ask(page, "POST", "/session/passkey", {"credential": gone})[1]["code"] == "SIGN-IN-WRONG"
        finally:
            browser.close()
        assert "Traceback" not in "\n".join(running.output)
