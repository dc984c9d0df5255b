"""Corners of the SIP stack that calls seldom go through, byte by byte."""

import itertools

import pytest
from test_sip_tables import HERE, THERE, Peer, invite, out, reply, status_of, tag_of
from test_sip_wire import ANSWER, AT, OFFER, A, B, Wire, assert_clean, call, connect, ring, stack

from centrala.protocols.sip import digest
from centrala.protocols.sip.events import (
    AnsweredCall,
    Ended,
    Failed,
    InfoReceived,
    InviteReceived,
    Reanswered,
    Referred,
    RegisterReceived,
    ReInvited,
    TransferProgressed,
    TrunkRegistered,
    TrunkRegistrationFailed,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.stack import ListeningPoint, SipStack, StackConfig

pytestmark = pytest.mark.unit


def talking(peer: Peer, extra: str = "") -> str:
    """An answered call of the peer's; our tag."""
    peer.says(invite(extra=extra))
    tag = peer.answered(200)
    peer.says(invite("z9hG4bKack", method="ACK", to_tag=tag, body=""))
    peer.one.take_events()
    return tag


def inside(tag: str, method: str, cseq: int, **more: str) -> bytes:
    return invite(f"z9hG4bK{method}{cseq}", method=method, to_tag=tag, cseq=cseq, **{"body": "", **more})


def test_an_early_update_is_answered_beside_the_invite() -> None:
    peer = Peer()
    peer.says(invite())
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 183, sdp=ANSWER, now=AT)
    tag = tag_of(peer.hears()[0])
    assert peer.says(inside(tag, "UPDATE", 2, body=OFFER)) == []
    assert peer.event(ReInvited) == ReInvited("leg", OFFER)
    peer.one.answer_reinvite("leg", ANSWER, now=AT)
    (ok,) = peer.hears()
    assert b"CSeq: 2 UPDATE" in ok
    peer.one.respond("leg", 200, sdp=ANSWER, now=AT)
    assert b"CSeq: 1 INVITE" in peer.hears()[0]


def test_one_offer_at_a_time() -> None:
    peer = Peer()
    tag = talking(peer)
    assert [status_of(d) for d in peer.says(inside(tag, "INVITE", 2, body=OFFER))] == [100]
    (second,) = peer.says(inside(tag, "INVITE", 3, body=OFFER))
    assert status_of(second) == 500
    assert b"Retry-After:" in second
    peer.one.reinvite("leg", OFFER, now=AT)
    assert peer.hears() == []
    peer.one.answer_reinvite("leg", ANSWER, now=AT)
    peer.says(inside(tag, "ACK", 2))
    assert any(data.startswith(b"INVITE") for _, data in peer.waits(1))


def test_what_the_user_never_answers_the_stack_does() -> None:
    peer = Peer()
    tag = talking(peer)
    peer.says(inside(tag, "INVITE", 2, body=OFFER))
    late = [status_of(d) for _, d in peer.waits(31) if d.startswith(b"SIP")]
    assert late[0] == 500
    peer.says(inside(tag, "ACK", 2))
    peer.says(inside(tag, "REFER", 3, extra="Refer-To: <sip:3@h>\r\n"))
    assert 500 in [status_of(d) for _, d in peer.waits(31)]
    assert peer.one.legs == ("leg",)


def test_bye_during_an_unanswered_reinvite_answers_it_too() -> None:
    peer = Peer()
    tag = talking(peer)
    peer.says(inside(tag, "INVITE", 2, body=OFFER))
    assert sorted(status_of(d) for d in peer.says(inside(tag, "BYE", 3))) == [200, 487]


@pytest.mark.parametrize(
    ("source", "goes_to"), [(("203.0.113.9", 1024), ("203.0.113.9", 1024)), (THERE, ("192.0.2.1", 5060))]
)
def test_behind_nat_requests_go_to_where_the_peer_sends_from(
    source: tuple[str, int], goes_to: tuple[str, int]
) -> None:
    one = stack(HERE[0])
    one.receive(invite(), Flow("udp", HERE, source), AT)
    one.adopt(one.take_events()[0].key, "leg", now=AT)  # type: ignore[union-attr]
    one.respond("leg", 200, sdp=ANSWER, now=AT)
    tag = tag_of(one.take_outgoing()[-1][1])
    one.receive(inside(tag, "ACK", 1), Flow("udp", HERE, source), AT)
    one.bye("leg", now=AT)
    ((flow, data),) = one.take_outgoing()
    assert data.startswith(b"BYE sip:100@192.0.2.1:5060")
    assert flow.remote == goes_to


def test_advertised_addresses_are_what_peers_see() -> None:
    point = ListeningPoint("tls", "0.0.0.0", 5061, "sip.example.com", 443)
    one = SipStack(StackConfig((point,)), lambda n: "ab" * n)
    one.options("k", "sips:x@h.example", now=AT)
    ((flow, data),) = one.take_outgoing()
    assert (flow.transport, flow.remote) == ("tls", ("h.example", 5061))
    assert b"Via: SIP/2.0/TLS sip.example.com:443;" in data
    assert b"Contact: <sip:centrala@sip.example.com:443;transport=tls>" in data
    with pytest.raises(ValueError, match="No listening point for udp"):
        one.flow_for_uri("sip:x@h")
    with pytest.raises(ValueError, match="Only sip"):
        one.flow_for_uri("tel:112")


def test_sdp_is_found_in_a_multipart() -> None:
    text = "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
    body = f"{text}--b\r\nContent-Type: application/sdp\r\n\r\n{OFFER}\r\n--b--\r\n"
    data = invite(body=body).replace(b"application/sdp", b"multipart/mixed;boundary=b", 1)
    peer = Peer()
    peer.says(data)
    assert peer.event(InviteReceived).sdp == OFFER


def test_a_challenged_bye_is_repeated_with_credentials() -> None:
    peer = Peer()
    _, h = out(peer, credentials=("anna", "pw"))
    peer.says(reply(h, 200, "t", body=ANSWER))
    peer.one.bye("out", now=AT)
    (bye,) = peer.hears()
    lines = dict(x.split(": ", 1) for x in bye.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
    lines["To"] = lines["To"].partition(";tag=")[0]
    challenge = 'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
    (again,) = peer.says(reply(lines, 407, "t", challenge))
    assert b"CSeq: 3 BYE" in again
    (value,) = (x for x in again.decode().split("\r\n") if x.startswith("Proxy-Authorization"))
    found = digest.parse_credentials(value.partition(": ")[2], "BYE")
    assert digest.expected_response(found, "pw") == found.response
    assert found.uri == "sip:100@192.0.2.1:5060"


@pytest.mark.parametrize("moment", ["silence", "481"])
def test_a_peer_that_has_forgotten_the_dialog_ends_it(moment: str) -> None:
    wire = Wire(A, B)
    connect(wire)
    if moment == "silence":
        wire.down.add(B)
    else:
        wire.stacks[B] = stack(B, 50)
    wire.stacks[A].reinvite("out", OFFER, now=wire.now)
    wire.run(40)
    assert [(e.why, e.by_peer) for e in wire.of(A, Ended)] == [("dialog lost", False)]
    wire.run(40)
    assert wire.stacks[A].legs == ()


def test_a_refresh_refused_as_update_is_done_by_reinvite() -> None:
    peer = Peer(session_expires=100)
    tag = talking(peer, extra="Allow: INVITE, UPDATE\r\n")
    sent = [d for _, d in peer.waits(51) if not d.startswith(b"SIP")]
    assert sent[0].startswith(b"UPDATE")
    assert b"\r\n\r\n" in sent[0]
    lines = dict(x.split(": ", 1) for x in sent[0].decode().split("\r\n\r\n")[0].split("\r\n")[1:])
    lines["To"] = lines["To"].partition(";tag=")[0]
    (again,) = peer.says(reply(lines, 405, "far"))
    assert again.startswith(b"INVITE")
    assert ANSWER.encode() in again
    assert tag.encode() in again


def test_the_peer_refreshes_and_we_keep_quiet() -> None:
    peer = Peer()
    tag = talking(peer, extra="Supported: timer\r\nSession-Expires: 100;refresher=uac\r\n")
    for cseq in range(2, 20):
        assert peer.waits(50) == []
        (ok,) = peer.says(
            inside(tag, "UPDATE", cseq, extra="Supported: timer\r\nSession-Expires: 100;refresher=uac\r\n")
        )
        assert b"Session-Expires: 100;refresher=uac" in ok
        assert b"Require: timer" in ok
    assert any(d.startswith(b"BYE") for _, d in peer.waits(100))
    assert peer.event(Ended).why == "session expired"


def test_in_dialog_odds_and_ends() -> None:
    peer = Peer()
    tag = talking(peer)
    cases = [
        (inside(tag, "OPTIONS", 2), 200),
        (inside(tag, "NOTIFY", 3, extra="Event: talk\r\n"), 489),
        (inside(tag, "REFER", 4), 400),
        (inside(tag, "REFER", 5, extra="Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>\r\n"), 400),
        (inside(tag, "INFO", 6), 200),
        (inside(tag, "INFO", 7, body="x").replace(b"application/sdp", b"text/x"), 415),
        (
            inside(tag, "INFO", 8, body="Signal=zz\r\n").replace(
                b"application/sdp", b"application/dtmf-relay"
            ),
            400,
        ),
        (
            inside(tag, "INFO", 9, body="Signal=11\r\n").replace(
                b"application/sdp", b"application/dtmf-relay"
            ),
            200,
        ),
        (inside(tag, "PRACK", 10, extra="RAck: 1 1 INVITE\r\n"), 481),
        (inside(tag, "UPDATE", 11, body="x").replace(b"application/sdp", b"text/x"), 415),
        (inside(tag, "INVITE", 12, extra="Supported: timer\r\nSession-Expires: 20\r\n"), 422),
        (inside(tag, "REGISTER", 13), 405),
    ]
    for data, status in cases:
        assert [status_of(d) for d in peer.says(data)] == [status], data
    assert peer.event(InfoReceived) == InfoReceived("leg", "#", 100)


def test_transfer_progress_that_stops_short_counts_as_failed() -> None:
    peer = Peer()
    tag = talking(peer)
    peer.one.refer("leg", "sip:3@h", now=AT)
    peer.hears()
    body = "SIP/2.0 100 Trying\r\n"
    extra = "Event: refer;id=2\r\nSubscription-State: terminated;reason=giveup\r\n"
    data = inside(tag, "NOTIFY", 2, extra=extra, body=body).replace(b"application/sdp", b"message/sipfrag")
    assert [status_of(d) for d in peer.says(data)] == [200]
    assert peer.event(TransferProgressed) == TransferProgressed("leg", 408)


def test_a_silent_refer_gets_no_notify() -> None:
    peer = Peer()
    tag = talking(peer)
    peer.says(
        inside(tag, "REFER", 2, extra="Refer-To: <sip:3@h>\r\nRefer-Sub: false\r\nReferred-By: <sip:9@h>\r\n")
    )
    assert peer.event(Referred) == Referred("leg", "sip:3@h", "3", None, "<sip:9@h>")
    peer.one.accept_refer("leg", now=AT)
    peer.one.notify_transfer("leg", 200, final=True, now=AT)
    (accepted,) = peer.hears()
    assert status_of(accepted) == 202
    assert b"Refer-Sub: false" in accepted


@pytest.mark.parametrize("leg", ["in", "out"])
def test_hanging_up_before_the_answer(leg: str) -> None:
    wire = Wire(A, B)
    call(wire)
    wire.run(0.1)
    ring(wire)
    wire.run(0.1)
    who = A if leg == "out" else B
    wire.stacks[who].bye(leg, reason="never mind", now=wire.now)
    wire.run(1)
    assert [e.status for e in wire.of(A, Failed)] == [487 if leg == "out" else 480]
    assert_clean(wire)


def test_the_caller_may_hang_up_an_early_dialog_by_bye() -> None:
    peer = Peer()
    peer.says(invite())
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 180, now=AT)
    tag = tag_of(peer.hears()[0])
    assert sorted(status_of(d) for d in peer.says(inside(tag, "BYE", 2))) == [200, 487]
    assert peer.event(Ended) == Ended("leg", True, "bye")


def test_calls_for_what_is_gone_only_count() -> None:
    peer = Peer()
    talking(peer)
    one = peer.one
    one.respond("leg", 486, now=AT)
    one.respond("nobody", 200, now=AT)
    one.cancel("leg", now=AT)
    one.adopt("no key", "x", now=AT)
    one.answer_reinvite("leg", ANSWER, now=AT)
    one.reject_refer("leg", 603, now=AT)
    one.ack("leg", ANSWER, now=AT)
    one.bye("nobody", now=AT)
    assert peer.hears() == []
    assert one.take_events() == []
    assert one.counters["unknown leg"] == 2
    assert one.counters["unknown key"] == 1
    with pytest.raises(ValueError, match="in use"):
        out_again(one)


def out_again(one: SipStack) -> None:
    one.invite("leg", call_id="x", target_uri="sip:a@192.0.2.1", from_uri="sip:b@h", sdp=None, now=AT)


REGISTER = (
    "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/{t} 192.0.2.1;branch=z9hG4bK{b};rport\r\nFrom: <sip:anna@h>;tag=1\r\n"
    "To: <sip:anna@h>\r\nCall-ID: r\r\nCSeq: {b} REGISTER\r\nMax-Forwards: 70\r\n{x}Content-Length: 0\r\n\r\n"
)


def test_what_a_register_may_hold() -> None:
    peer = Peer("tcp")
    bad = REGISTER.format(t="TCP", b=1, x="Contact: *\r\nExpires: 5\r\n").encode()
    assert [status_of(d) for d in peer.says(bad)] == [400]
    contact = (
        'Contact: <sip:anna@1.2.3.4;transport=ws>;q=0.7;expires=60;+sip.instance="<urn:uuid:1>";reg-id=1\r\n'
    )
    extra = contact + "Supported: path, outbound\r\nPath: <sip:edge;lr>\r\nUser-Agent: Phone/1\r\n"
    peer.says(REGISTER.format(t="TCP", b=2, x=extra).encode())
    event = peer.event(RegisterReceived)
    (found,) = event.contacts
    assert (found.expires, found.q, found.instance, found.reg_id) == (60, 0.7, "urn:uuid:1", 1)
    assert (event.user, event.path, event.user_agent, event.cseq) == (
        "anna",
        ("<sip:edge;lr>",),
        "Phone/1",
        2,
    )
    peer.one.accept_register(event.key, event.contacts, now=AT)
    (ok,) = peer.hears()
    for line in (
        contact.replace(";q=0.7;expires=60", ";expires=60;q=0.7"),
        "Path: <sip:edge;lr>\r\n",
        "Require: outbound\r\n",
    ):
        assert line.encode() in ok
    peer.says(REGISTER.format(t="TCP", b=3, x="Contact: *\r\nExpires: 0\r\n").encode())
    assert peer.event(RegisterReceived).everything
    assert [status_of(d) for _, d in peer.waits(31)] == [503]


def test_a_carrier_that_wants_longer_or_says_nothing() -> None:
    peer = Peer()
    one = peer.one
    one.register(
        "t", registrar_uri="sip:192.0.2.1", aor="sip:u@c", user="u", password="p", expires=60, now=AT
    )

    def answer(status: int, extra: str) -> list[bytes]:
        (sent,) = peer.hears()
        lines = dict(x.split(": ", 1) for x in sent.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
        one.receive(reply(lines, status, "t", extra, contact="0.0.0.0"), peer.flow, peer.now)
        return []

    answer(423, "Min-Expires: 500\r\n")
    answer(200, "Expires: 500\r\n")
    assert peer.event(TrunkRegistered).expires == 500
    silent = [at for at, d in peer.waits(4000) if d.startswith(b"REGISTER")]
    failed = [e for e in one.take_events() if isinstance(e, TrunkRegistrationFailed)]
    assert failed[0].status == 408
    waits = [round(e.retry_at) for e in failed]
    assert waits == sorted(waits)
    gaps = [b - a for a, b in itertools.pairwise(waits)]
    assert gaps == sorted(gaps)
    assert 450 <= silent[0] <= 500


def test_our_update_falls_back_to_reinvite() -> None:
    peer = Peer()
    _, h = out(peer)
    peer.says(reply(h, 200, "t", body=ANSWER))
    peer.event(AnsweredCall)
    peer.one.update("out", OFFER, now=AT)
    (sent,) = peer.hears()
    assert sent.startswith(b"INVITE")
    lines = dict(x.split(": ", 1) for x in sent.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
    lines["To"] = lines["To"].partition(";tag=")[0]
    (ack,) = peer.says(reply(lines, 488, "t"))
    assert ack.startswith(b"ACK")
    assert peer.event(Reanswered) == Reanswered("out", None, 488)


def test_over_a_stream_a_request_goes_out_once_and_leaves_nothing_to_wait_for() -> None:
    wire = Wire(A, B, transport="tcp")
    wire.fate = lambda data, count: []
    call(wire)
    wire.run(40)
    assert wire.sent(A, "INVITE") == 1
    assert [e.status for e in wire.of(A, Failed)] == [408]
    wire = Wire(A, B, transport="tcp")
    connect(wire)
    wire.stacks[A].bye("out", now=wire.now)
    wire.run(0.1)
    # timers J and K are of no length there (RFC 3261 table 4); M and L of the INVITE are
    assert [tx.method for tx in wire.stacks[A]._tx.clients.values()] == ["INVITE"]
    assert [tx.method for tx in wire.stacks[B]._tx.servers.values()] == ["INVITE"]


def test_requests_follow_the_peer_to_its_new_connection() -> None:
    peer = Peer("tcp")
    tag = talking(peer)
    newer = Flow("tcp", HERE, ("192.0.2.1", 40_000), 8)
    peer.one.receive(inside(tag, "INFO", 2), newer, AT)
    peer.hears()
    peer.one.bye("leg", now=AT)
    ((flow, _),) = peer.one.take_outgoing()
    assert flow == newer


def test_the_same_cseq_in_another_transaction_is_refused() -> None:
    peer = Peer()
    tag = talking(peer)
    assert [status_of(d) for d in peer.says(inside(tag, "INFO", 2))] == [200]
    twin = inside(tag, "INFO", 2).replace(b"z9hG4bKINFO2", b"z9hG4bKother")
    assert [status_of(d) for d in peer.says(twin)] == [500]


def test_cancel_waits_for_a_provisional_response() -> None:
    peer = Peer()
    _, h = out(peer)
    peer.one.cancel("out", now=AT)
    assert peer.hears() == []
    (cancel,) = peer.says(reply(h, 180, "t"))
    assert cancel.startswith(b"CANCEL")
    assert f"Via: {h['Via']}".encode() in cancel


def test_only_real_changes_are_handed_out_for_storage() -> None:
    peer = Peer()
    tag = talking(peer)
    assert [leg for leg, _ in peer.one.take_changed()] == ["leg"]
    peer.says(inside(tag, "OPTIONS", 2))
    peer.one._save(peer.one._legs["leg"])
    assert peer.one.take_changed() == []
    peer.one.bye("leg", now=AT)
    assert [data is None for _, data in peer.one.take_changed()] == [False]
    for _ in peer.waits(40):
        pass
    assert peer.one.take_changed() == [("leg", None)]


def restarted(peer: Peer) -> Peer:
    stored = {leg: data for leg, data in peer.one.take_changed() if data is not None}
    fresh = Peer()
    fresh.one.restore(stored, peer.now)
    return fresh


def test_after_a_restart_a_repeated_invite_gets_the_last_provisional() -> None:
    peer = Peer()
    peer.says(invite())
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 183, sdp=ANSWER, now=AT)
    (before,) = peer.hears()
    fresh = restarted(peer)
    assert fresh.says(invite()) == [before]
    assert fresh.one.take_events() == []


def test_after_a_restart_a_reinvite_that_was_not_answered_is_told_again() -> None:
    peer = Peer()
    tag = talking(peer)
    peer.says(inside(tag, "INVITE", 2, body=OFFER))
    assert peer.event(ReInvited).sdp == OFFER
    fresh = restarted(peer)
    fresh.says(inside(tag, "INVITE", 2, body=OFFER))
    assert fresh.event(ReInvited).sdp == OFFER
    fresh.one.answer_reinvite("leg", ANSWER, now=AT)
    assert b"CSeq: 2 INVITE" in fresh.hears()[0]


def test_an_offer_of_ours_that_waits_for_its_ack_makes_others_wait() -> None:
    peer = Peer()
    peer.says(invite(body=""))
    peer.one.adopt(peer.event(InviteReceived).key, "leg", now=AT)
    peer.one.respond("leg", 200, sdp=OFFER, now=AT)
    tag = tag_of(peer.hears()[0])
    assert [status_of(d) for d in peer.says(inside(tag, "INVITE", 2, body=OFFER))] == [491]


def test_a_flood_does_not_keep_calls_from_ending() -> None:
    peer = Peer(max_pending_per_source=1)
    tag = talking(peer)
    peer.says(invite("z9hG4bKx", call_id="x"))
    assert [status_of(d) for d in peer.says(invite("z9hG4bKy", call_id="y"))] == [503]
    assert [status_of(d) for d in peer.says(inside(tag, "BYE", 2))] == [200]
