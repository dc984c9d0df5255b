"""A real call moved by buttons alone, over the routes of pages; then a kill, and the figures of the day stay."""

import socket
import time
from typing import Any

import pytest
from bench import Baresip, Centre, Line, Sipp, ports, share_of
from test_web_server import Live, add_user, signed_in

from centrala.testing.ports import free
from centrala.web.shown import ContactShown

pytestmark = pytest.mark.peer

NUMBER = "+48221234567"
CUSTOMER, ALICE, BORIS = 440.0, 700.0, 1000.0


def config(http: int) -> dict[str, Any]:
    return {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.5.0/24"}},
                "dispositions": {"sold": "Sold", "later": "Call later"},
                "agents": {
                    name: {"name": name.title(), "sip_password": f"{name} says this"}
                    for name in ("alice", "boris")
                },
                "queues": {
                    "sales": {"agents": ["alice"], "wrap_up": "60s", "dispositions": ["sold", "later"]}
                },
                "numbers": {NUMBER: {"queue": "sales"}},
            }
        },
    }


def hears(ear: Line | Baresip, *hertz: float) -> None:
    """Until exactly these of the three voices are heard."""
    until = time.monotonic() + 15
    while True:
        sound = ear.heard(0.5)
        found = {one for one in (CUSTOMER, ALICE, BORIS) if len(sound) > 2000 and share_of(one, sound) > 0.1}
        if found == set(hertz):
            return
        assert time.monotonic() < until, f"heard {found}, expected {set(hertz)}"
        time.sleep(0.1)


def test_a_call_by_buttons_alone_and_the_figures_outlive_a_kill() -> None:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    base = f"http://127.0.0.1:{http}"
    with Centre(config(http)) as centre:
        assert centre.data
        for name in ("alice", "boris"):
            assert add_user(centre.data, name, "--role", "agent", "--agent", name).returncode == 0
        assert add_user(centre.data, "chief", "--role", "supervisor").returncode == 0
        alice, boris, chief = (signed_in(base, name) for name in ("alice", "boris", "chief"))

        def press(button: str, **body: Any) -> dict[str, Any]:
            answer = alice.post(f"/me/agent/{button}", json=body)
            assert answer.status_code == 200, f"{button}: {answer.text}"
            return answer.json()  # type: ignore[no-any-return]

        wall = Live(base, chief)
        wall.register()
        address = ports.loopback()
        options = {"answer": "auto"}
        with (
            Baresip("alice", centre.sip, "acme.example", "alice says this", hertz=ALICE, **options) as a,
            Baresip("boris", centre.sip, "acme.example", "boris says this", hertz=BORIS, **options) as b,
            Line(hertz=CUSTOMER, address=address) as customer,
        ):
            a.wait_registered()
            b.wait_registered()
            wall.until("the phones", lambda all: all["agent", "boris"]["reachable"])
            press("ready")
            assert boris.post("/me/agent/pause", json={"reason": "back_office"}).status_code == 200
            with Sipp(
                "uac_wait_for_bye",
                centre.sip,
                NUMBER,
                {"patience_ms": 60000},
                local_ip=address,
                line=customer,
            ) as caller:
                wall.until("the conversation", lambda all: all["agent", "alice"]["state"] == "on_contact")
                hears(customer, ALICE)
                contact = press("hold")["contact"]["id"]
                wall.until("hold", lambda all: all["contact", contact]["hold_since"] is not None)
                hears(a)
                press("resume")
                hears(a, CUSTOMER)
                press("consult", to="boris")
                wall.until(
                    "the consultation",
                    lambda all: (
                        {"consult": "talking"}.items()
                        <= {one["role"]: one["state"] for one in all["contact", contact]["parties"]}.items()
                    ),
                )
                hears(b, ALICE)
                hears(a, BORIS)
                press("conference")
                hears(customer, ALICE, BORIS)
                assert wall.view is not None
                wall.until("who hears whom", lambda all: len(all["contact", contact]["hears"]) == 3)
                ContactShown.model_validate(wall.view.entities["contact", contact])
                press("leave")
                hears(customer, BORIS)
                hears(b, CUSTOMER)
                wall.until("alice's wrap-up", lambda all: all["agent", "alice"]["state"] == "wrap_up")
                refused = alice.post("/me/agent/finish")
                assert refused.json()["code"] == "AGENT-REFUSED", "the queue asks for a result"
                desk = press("result", contact=contact, disposition="sold", note="Ten roses.")
                assert desk["contact"]["disposition"] == "sold"
                assert press("finish")["agent"]["state"] == "ready"
                answer = boris.post("/me/agent/transfer", json={"to": "alice"})
                assert answer.status_code == 200, answer.text
                hears(customer, ALICE)
                hears(a, CUSTOMER)
                press("hang-up")
                caller.wait()
            given = boris.post("/me/agent/result", json={"contact": contact, "disposition": "later"})
            assert given.status_code == 200, given.text
            boris.post("/me/agent/finish")
            alice.post("/me/agent/finish")
            wall.until("the end", lambda all: not any(kind == "contact" for kind, _ in all))
            wall.until("the figures", lambda all: all["queue", "sales"]["today"]["served"] >= 1)
            time.sleep(0.6)  # figures of queues are told four times a second
            entities = chief.get("/live").json()["entities"]
            before = next(one["value"]["today"] for one in entities if one["what"] == "queue")
            assert (before["served"], before["offered"]) == (1, 1)
            day = alice.get("/me/agent/day").json()
            assert day["results"] == {"sold": 1}
            wall.close()
            centre.kill9()
            centre.start()
            again = Live(base, chief)
            again.register()
            again.until("the figures of before", lambda all: all["queue", "sales"]["today"] == before)
            after = alice.get("/me/agent/day").json()
            assert after["results"] == day["results"]
            assert after["talk_s"] == pytest.approx(day["talk_s"], abs=0.2)
            again.close()
            for _ in range(50):  # records are a second behind, and a restart begins with their next second
                record = alice.get(f"/contacts/{contact}").json()
                if record["disposition"] == "later":
                    break
                time.sleep(0.1)
            assert record["disposition"] == "later", "the last word counts"
            assert {one["role"] for one in record["segments"]} >= {"agent", "consult", "member"}
        for one in (alice, boris, chief):
            one.close()
        assert "roses" not in "\n".join(centre.output)
