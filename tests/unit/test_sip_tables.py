"""The transaction machines against the figures of RFC 3261 17 and RFC 6026, and byte by byte on the wire."""

import itertools

import pytest
from test_sip_wire import ANSWER, AT, OFFER, stack

from centrala.protocols.sip.events import Acked, Ended, InviteReceived
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.stack import SipStack
from centrala.protocols.sip.tables import Act, Input, State, client, invite_client, invite_server, server

pytestmark = pytest.mark.unit

HERE, THERE = ("192.0.2.2", 5060), ("192.0.2.1", 5060)

# (state, input) -> (state, actions), transcribed from the figures. All that isn't listed must be ignored.
FIGURES = {
    # RFC 3261 figure 5 as amended by RFC 6026 7.2
    invite_client: """
        CALLING     TIMER_A      CALLING     RESEND START_A
        CALLING     TIMER_B      TERMINATED  TIMED_OUT
        CALLING     BROKEN       TERMINATED  UNREACHABLE
        CALLING     PROVISIONAL  PROCEEDING  DELIVER
        CALLING     SUCCESS      ACCEPTED    DELIVER START_M
        CALLING     FAILURE      COMPLETED   SEND_ACK DELIVER START_D
        PROCEEDING  PROVISIONAL  PROCEEDING  DELIVER
        PROCEEDING  SUCCESS      ACCEPTED    DELIVER START_M
        PROCEEDING  FAILURE      COMPLETED   SEND_ACK DELIVER START_D
        PROCEEDING  BROKEN       TERMINATED  UNREACHABLE
        ACCEPTED    SUCCESS      ACCEPTED    DELIVER
        ACCEPTED    TIMER_M      TERMINATED
        COMPLETED   FAILURE      COMPLETED   SEND_ACK
        COMPLETED   BROKEN       TERMINATED
        COMPLETED   TIMER_D      TERMINATED
    """,
    # RFC 3261 figure 6
    client: """
        TRYING      TIMER_E      TRYING      RESEND START_E
        TRYING      TIMER_F      TERMINATED  TIMED_OUT
        TRYING      BROKEN       TERMINATED  UNREACHABLE
        TRYING      PROVISIONAL  PROCEEDING  DELIVER
        TRYING      SUCCESS      COMPLETED   DELIVER START_K
        TRYING      FAILURE      COMPLETED   DELIVER START_K
        PROCEEDING  TIMER_E      PROCEEDING  RESEND START_E
        PROCEEDING  TIMER_F      TERMINATED  TIMED_OUT
        PROCEEDING  BROKEN       TERMINATED  UNREACHABLE
        PROCEEDING  PROVISIONAL  PROCEEDING  DELIVER
        PROCEEDING  SUCCESS      COMPLETED   DELIVER START_K
        PROCEEDING  FAILURE      COMPLETED   DELIVER START_K
        COMPLETED   TIMER_K      TERMINATED
    """,
    # RFC 3261 figure 7 as amended by RFC 6026 7.1
    invite_server: """
        PROCEEDING  REQUEST      PROCEEDING  RESEND
        PROCEEDING  PROVISIONAL  PROCEEDING  SEND
        PROCEEDING  SUCCESS      ACCEPTED    SEND START_L
        PROCEEDING  FAILURE      COMPLETED   SEND START_G START_H
        ACCEPTED    REQUEST      ACCEPTED
        ACCEPTED    SUCCESS      ACCEPTED    SEND
        ACCEPTED    ACK          ACCEPTED    DELIVER
        ACCEPTED    TIMER_L      TERMINATED
        COMPLETED   REQUEST      COMPLETED   RESEND
        COMPLETED   TIMER_G      COMPLETED   RESEND START_G
        COMPLETED   TIMER_H      TERMINATED  TIMED_OUT
        COMPLETED   ACK          CONFIRMED   START_I
        CONFIRMED   TIMER_I      TERMINATED
    """,
    # RFC 3261 figure 8
    server: """
        TRYING      PROVISIONAL  PROCEEDING  SEND
        TRYING      SUCCESS      COMPLETED   SEND START_J
        TRYING      FAILURE      COMPLETED   SEND START_J
        PROCEEDING  PROVISIONAL  PROCEEDING  SEND
        PROCEEDING  SUCCESS      COMPLETED   SEND START_J
        PROCEEDING  FAILURE      COMPLETED   SEND START_J
        PROCEEDING  REQUEST      PROCEEDING  RESEND
        COMPLETED   REQUEST      COMPLETED   RESEND
        COMPLETED   TIMER_J      TERMINATED
    """,
}


@pytest.mark.parametrize("table", FIGURES, ids=lambda t: t.__name__)
def test_every_arrow_and_no_other(table) -> None:
    arrows = {}
    for line in FIGURES[table].split("\n"):
        if words := line.split():
            arrows[State[words[0]], Input[words[1]]] = (State[words[2]], tuple(Act[w] for w in words[3:]))
    for pair in itertools.product(State, Input):
        assert table(*pair) == arrows.get(pair), pair


def invite(branch: str = "z9hG4bKa", *, to_tag: str = "", cseq: int = 1, method: str = "INVITE", extra: str = "",
           body: str = OFFER, rport: str = ";rport", call_id: str = "one@there") -> bytes:  # fmt: skip
    tag = f";tag={to_tag}" if to_tag else ""
    head = (
        f"{method} sip:201@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}{rport}\r\n"
        f"From: <sip:100@192.0.2.1>;tag=far\r\nTo: <sip:201@192.0.2.2>{tag}\r\nCall-ID: {call_id}\r\n"
        f"CSeq: {cseq} {method}\r\nContact: <sip:100@192.0.2.1:5060>\r\nMax-Forwards: 70\r\n{extra}"
    )
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class Peer:
    """Speaks bytes to one stack."""

    def __init__(self, transport: str = "udp", **settings: object) -> None:
        self.one: SipStack = stack(HERE[0], **settings)
        self.flow = Flow(transport, HERE, THERE, 0 if transport == "udp" else 3)
        self.now = AT

    def says(self, data: bytes) -> list[bytes]:
        self.one.receive(data, self.flow, self.now)
        return self.hears()

    def hears(self) -> list[bytes]:
        return [data for _, data in self.one.take_outgoing()]

    def waits(self, seconds: float) -> list[tuple[float, bytes]]:
        """What comes meanwhile, and when."""
        end, heard = self.now + seconds, []
        while (at := self.one.next_deadline()) is not None and at <= end:
            self.now = max(at, self.now)
            self.one.advance(self.now)
            heard += [(round(self.now - AT, 3), data) for data in self.hears()]
        self.now = end
        return heard

    def event(self, kind: type):
        found = [e for e in self.one.take_events() if isinstance(e, kind)]
        assert len(found) == 1
        return found[0]

    def answered(self, status: int) -> str:
        """Adopt and answer the INVITE that is here; our tag."""
        self.one.adopt(self.event(InviteReceived).key, "leg", now=self.now)
        self.one.respond("leg", status, sdp=ANSWER if status < 300 else None, now=self.now)
        (data,) = self.hears()
        return tag_of(data)


def tag_of(data: bytes) -> str:
    (line,) = (text for text in data.decode().split("\r\n") if text.startswith("To:"))
    return line.partition(";tag=")[2]


def status_of(data: bytes) -> int:
    return int(data.split(b" ")[1])


def test_invite_server_repeats_its_failure_until_the_ack() -> None:
    peer = Peer()
    assert [status_of(d) for d in peer.says(invite())] == [100]
    tag = peer.answered(486)
    assert [status_of(d) for d in peer.says(invite())] == [486]
    # timer G: T1, 2 T1, 4 T1, then T2
    assert [at for at, _ in peer.waits(16)] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5]
    assert peer.says(invite(method="ACK", to_tag=tag, body="")) == []
    assert peer.waits(4) == []
    assert peer.says(invite()) == []
    peer.waits(2)
    assert not peer.one._tx.servers


def test_timer_h_gives_up_on_a_missing_ack() -> None:
    peer = Peer("tcp")
    peer.says(invite())
    peer.answered(404)
    assert peer.waits(33) == []
    assert peer.one.counters["failure without ack"] == 1
    assert not peer.one._tx.servers


def test_a_repeated_invite_gets_the_last_provisional_and_no_second_event() -> None:
    peer = Peer()
    peer.says(invite())
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 183, sdp=ANSWER, now=AT)
    (first,) = peer.hears()
    assert peer.says(invite()) == [first]
    assert peer.one.take_events() == []


def test_the_200_is_repeated_by_the_user_and_stopped_by_its_ack() -> None:
    peer = Peer()
    peer.says(invite())
    tag = peer.answered(200)
    assert peer.says(invite()) == []
    assert [at for at, _ in peer.waits(12)] == [0.5, 1.5, 3.5, 7.5, 11.5]
    peer.says(invite("z9hG4bKack", method="ACK", to_tag=tag, body=""))
    assert peer.event(Acked) == Acked("leg", None)
    peer.says(invite("z9hG4bKack", method="ACK", to_tag=tag, body=""))
    assert peer.one.take_events() == []
    assert peer.waits(60) == []


@pytest.mark.parametrize("rport", [";rport", ""])
def test_responses_go_where_rfc_3581_says(rport: str) -> None:
    one = stack(HERE[0])
    one.receive(invite(rport=rport), Flow("udp", HERE, ("203.0.113.9", 1024)), AT)
    (((flow, data)),) = one.take_outgoing()
    assert flow.remote == (("203.0.113.9", 1024) if rport else ("203.0.113.9", 5060))
    assert b"received=203.0.113.9" in data
    assert (b"rport=1024" in data) == bool(rport)


REFUSALS = [
    (invite(extra="Require: gruu, 100rel\r\n"), 420, "Unsupported: gruu"),
    (invite().replace(b"Max-Forwards: 70", b"Max-Forwards: 0"), 483, ""),
    (invite().replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), 505, ""),
    (invite().replace(b"application/sdp", b"text/plain"), 415, "Accept: application/sdp"),
    (invite().replace(b"INVITE", b"PUBLISH"), 405, "Allow: INVITE"),
    (invite().replace(b"INVITE", b"FROBNICATE"), 501, "Allow: INVITE"),
    (invite().replace(b"INVITE", b"SUBSCRIBE"), 489, ""),
    (invite(to_tag="nobody"), 481, ""),
    (invite(method="BYE", body=""), 481, ""),
    (invite(method="CANCEL", body=""), 481, ""),
    (invite(method="BYE", to_tag="nobody", body=""), 481, ""),
    (invite().replace(b"Contact:", b"X-Contact:"), 400, ""),
    (invite().replace(b"Call-ID:", b"X-Call-ID:"), 400, ""),
    (invite(extra="Session-Expires: 60\r\nSupported: timer\r\n"), 422, "Min-SE: 90"),
    (invite(method="OPTIONS", body=""), 200, "Accept: application/sdp"),
]


@pytest.mark.parametrize(("data", "status", "header"), REFUSALS)
def test_refusals(data: bytes, status: int, header: str) -> None:
    peer = Peer()
    (answer,) = peer.says(data)
    assert status_of(answer) == status
    assert header.encode() in answer
    assert tag_of(answer)
    assert peer.says(data) == [answer]
    assert not peer.one._tx.servers


def test_a_second_way_for_the_same_request_is_merged() -> None:
    peer = Peer()
    peer.says(invite("z9hG4bKa"))
    assert [status_of(d) for d in peer.says(invite("z9hG4bKb"))] == [482]


def test_requests_out_of_order_are_refused() -> None:
    peer = Peer()
    peer.says(invite(cseq=10))
    tag = peer.answered(200)
    peer.says(invite("z9hG4bKk", cseq=10, method="ACK", to_tag=tag, body=""))
    assert [
        status_of(d) for d in peer.says(invite("z9hG4bKo", cseq=9, method="INFO", to_tag=tag, body=""))
    ] == [500]
    assert [
        status_of(d) for d in peer.says(invite("z9hG4bKp", cseq=11, method="BYE", to_tag=tag, body=""))
    ] == [200]
    assert peer.one.take_events()[-1] == Ended("leg", True, "bye")


def test_the_other_tag_is_another_dialog() -> None:
    peer = Peer()
    peer.says(invite())
    tag = peer.answered(200)
    forged = invite("z9hG4bKp", cseq=2, method="BYE", to_tag=tag, body="").replace(b"tag=far", b"tag=else")
    assert [status_of(d) for d in peer.says(forged)] == [481]
    assert peer.one.legs == ("leg",)


def test_a_flood_from_one_source_is_held_off() -> None:
    peer = Peer(max_pending_per_source=5)
    answers = [status_of(peer.says(invite(f"z9hG4bK{n}", call_id=f"c{n}"))[-1]) for n in range(8)]
    assert answers == [100] * 5 + [503] * 3
    other = Flow("udp", HERE, ("192.0.2.77", 5060))
    peer.one.receive(invite("z9hG4bKx", call_id="cx"), other, AT)
    assert status_of(peer.hears()[0]) == 100


def test_oversized_and_foreign_bytes_are_dropped() -> None:
    peer = Peer()
    assert peer.says(b"INVITE sip:x SIP/2.0\r\n" + b"a" * 70_000) == []
    assert peer.says(b"\x00\x01\x02 GET / HTTP/1.1") == []
    assert [e.reason for e in peer.one.take_events()] == ["oversized", "not sip"]
    assert peer.says(b"\r\n\r\n") == []


def test_a_reliable_provisional_is_repeated_until_its_prack() -> None:
    peer = Peer()
    peer.says(invite(extra="Require: 100rel\r\n"))
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 183, sdp=ANSWER, now=AT)
    (first,) = peer.hears()
    assert b"Require: 100rel" in first
    (rseq,) = (line.split()[1] for line in first.decode().split("\r\n") if line.startswith("RSeq"))
    assert [data for _, data in peer.waits(4)] == [first] * 3
    peer.one.respond("leg", 200, sdp=ANSWER, now=peer.now)
    assert peer.hears() == []
    tag = tag_of(first)
    wrong = invite("z9hG4bKp", cseq=2, method="PRACK", to_tag=tag, body="", extra="RAck: 1 9 INVITE\r\n")
    assert [status_of(d) for d in peer.says(wrong)] == [481]
    right = invite(
        "z9hG4bKq", cseq=3, method="PRACK", to_tag=tag, body="", extra=f"RAck: {rseq} 1 INVITE\r\n"
    )
    assert [d.split(b"\r\n")[0] for d in peer.says(right)] == [b"SIP/2.0 200 OK"] * 2


def test_no_prack_ends_the_attempt() -> None:
    peer = Peer()
    peer.says(invite(extra="Require: 100rel\r\n"))
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 180, now=AT)
    assert any(status_of(data) == 504 for _, data in peer.waits(40))
    assert peer.event(Ended).why == "no prack"


def out(peer: Peer, **more: object) -> tuple[bytes, dict[str, str]]:
    """An INVITE of ours, and its headers."""
    peer.one.invite("out", call_id="c@here", target_uri="sip:100@192.0.2.1", from_uri="sip:201@192.0.2.2", sdp=OFFER,
                    now=peer.now, **more)  # type: ignore[arg-type]  # fmt: skip
    (data,) = peer.hears()
    lines = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return data, dict(line.split(": ", 1) for line in lines)


def reply(
    h: dict[str, str], status: int, tag: str, extra: str = "", body: str = "", contact: str = "192.0.2.1:5060"
) -> bytes:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"SIP/2.0 {status} X\r\nVia: {h['Via']}\r\nFrom: {h['From']}\r\nTo: {h['To']};tag={tag}\r\n"
        f"Call-ID: {h['Call-ID']}\r\nCSeq: {h['CSeq']}\r\nContact: <sip:100@{contact}>\r\n{extra}{kind}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def test_of_a_forked_invite_the_first_answer_wins_and_the_others_are_hung_up() -> None:
    peer = Peer()
    _, h = out(peer)
    for tag in ("t1", "t2", "t3"):
        peer.says(reply(h, 180, tag))
    (ack,) = peer.says(reply(h, 200, "t2", body=ANSWER))
    assert ack.startswith(b"ACK")
    heard = peer.says(reply(h, 200, "t3", body=ANSWER, contact="192.0.2.50:5070"))
    assert [d.split(b" SIP")[0] for d in heard] == [
        b"ACK sip:100@192.0.2.50:5070",
        b"BYE sip:100@192.0.2.50:5070",
    ]
    assert all(b";tag=t3" in d for d in heard)
    assert peer.says(reply(h, 200, "t2", body=ANSWER)) == [ack]
    assert [type(e).__name__ for e in peer.one.take_events()] == ["Progressed"] * 3 + ["AnsweredCall"]
    assert peer.one.legs == ("out",)


def test_reliable_provisionals_are_confirmed_in_order_and_once() -> None:
    peer = Peer()
    _, h = out(peer)
    rel = "Require: 100rel\r\nRSeq: "
    (first,) = peer.says(reply(h, 183, "t1", rel + "700\r\n", ANSWER))
    assert first.startswith(b"PRACK")
    assert b"RAck: 700 1 INVITE" in first
    assert peer.says(reply(h, 183, "t1", rel + "700\r\n", ANSWER)) == []
    assert peer.says(reply(h, 180, "t1", rel + "702\r\n")) == []
    assert b"RAck: 701 1 INVITE" in peer.says(reply(h, 180, "t1", rel + "701\r\n"))[0]


def test_the_ack_of_a_failure_bears_the_branch_and_the_peers_tag() -> None:
    peer = Peer()
    _, h = out(peer)
    (ack,) = peer.says(reply(h, 486, "busy"))
    assert ack.startswith(b"ACK sip:100@192.0.2.1 SIP/2.0\r\n")
    assert f"Via: {h['Via']}".encode() in ack
    assert b";tag=busy" in ack
    assert b"CSeq: 1 ACK" in ack
    assert peer.says(reply(h, 486, "busy")) == [ack]


def test_routes_loose_and_strict() -> None:
    for first, uri, route in (
        (
            "<sip:p1.example;lr>",
            b"ACK sip:100@192.0.2.1:5060",
            b"Route: <sip:p1.example;lr>\r\nRoute: <sip:p2;lr>",
        ),
        ("<sip:p1.example>", b"ACK sip:p1.example", b"Route: <sip:p2;lr>\r\nRoute: <sip:100@192.0.2.1:5060>"),
    ):
        peer = Peer()
        _, h = out(peer)
        # the answer lists them the other way round (RFC 3261 12.1.2)
        (ack,) = peer.says(
            reply(h, 200, "t", f"Record-Route: <sip:p2;lr>\r\nRecord-Route: {first}\r\n", ANSWER)
        )
        assert ack.startswith(uri + b" SIP/2.0")
        assert route in ack
