"""Two SIP stacks over a scripted lossy wire under a virtual clock: loss, doubling, reordering, restarts."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from centrala.protocols.sip import sdp
from centrala.protocols.sip.events import (
    Acked,
    AnsweredCall,
    Cancelled,
    Ended,
    Failed,
    InfoReceived,
    InviteReceived,
    OptionsAnswered,
    PeerUnreachable,
    Progressed,
    Reanswered,
    Referred,
    RegisterReceived,
    ReInvited,
    SipEvent,
    TransferProgressed,
    TrunkRegistered,
    TrunkRegistrationFailed,
    Withdrawn,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.registrar import Refusal, Registrar, granted
from centrala.protocols.sip.stack import ListeningPoint, SipStack, StackConfig

pytestmark = pytest.mark.unit

OFFER = sdp.offer(sdp.LocalMedia("192.0.2.1", 4000))
ANSWER = sdp.answer(OFFER, sdp.LocalMedia("192.0.2.2", 5000))[0]
AT = 1_700_000_000.0


def tokens(seed: int) -> Callable[[int], str]:
    source = random.Random(seed)
    return lambda n: source.randbytes(n).hex()


def stack(host: str, seed: int = 1, **settings: object) -> SipStack:
    points = tuple(ListeningPoint(t, host, 5060) for t in ("udp", "tcp", "ws"))
    return SipStack(StackConfig(points, **settings), tokens(seed))  # type: ignore[arg-type]


class Wire:
    """Carries messages between stacks by address; `fate(data, count)` says when each copy arrives (seconds)."""

    def __init__(self, *hosts: str, transport: str = "udp", **settings: object) -> None:
        self.now = AT
        self.transport = transport
        self.settings = settings
        self.stacks = {host: stack(host, seed, **settings) for seed, host in enumerate(hosts)}
        self.events: dict[str, list[SipEvent]] = {host: [] for host in hosts}
        self.stored: dict[str, dict[str, bytes]] = {host: {} for host in hosts}
        self.log: list[tuple[float, str, bytes]] = []
        self.fate: Callable[[bytes, int], list[float]] = lambda data, count: [0.01]
        self.down: set[str] = set()
        self.answer: Callable[[str, SipEvent], None] | None = None
        self._air: list[tuple[float, int, Flow, bytes]] = []
        self._counter = itertools.count()

    def settle(self, host: str) -> None:
        one = self.stacks[host]
        for leg, data in one.take_changed():
            if data is None:
                del self.stored[host][leg]
            else:
                self.stored[host][leg] = data
        for flow, data in one.take_outgoing():
            count = next(self._counter)
            self.log.append((self.now, host, data))
            for delay in self.fate(data, count):
                back = Flow(flow.transport, flow.remote, flow.local, 7 if flow.reliable else 0)
                heapq.heappush(self._air, (self.now + delay, next(self._counter), back, data))
        events = one.take_events()
        self.events[host] += events
        if self.answer is not None:
            for event in events:
                self.answer(host, event)
        if events:
            self.settle(host)

    def run(self, seconds: float) -> None:
        """Let that much time pass."""
        end = self.now + seconds
        while True:
            for host in self.stacks:
                if host not in self.down:
                    self.settle(host)
            deadlines = [
                (at, host)
                for host, one in self.stacks.items()
                if host not in self.down and (at := one.next_deadline()) is not None
            ]
            due = min(deadlines, default=None)
            if self._air and (due is None or self._air[0][0] <= due[0]):
                at, _, flow, data = self._air[0]
                if at > end:
                    break
                heapq.heappop(self._air)
                self.now = max(self.now, at)
                if flow.local[0] not in self.down:
                    self.stacks[flow.local[0]].receive(data, flow, self.now)
                continue
            if due is None or due[0] > end:
                break
            self.now = max(self.now, due[0])
            self.stacks[due[1]].advance(self.now)
        self.now = end

    def crash(self, host: str) -> None:
        """The process is gone, with all that wasn't stored."""
        self.settle(host)
        self.down.add(host)

    def restart(self, host: str) -> None:
        self.down.discard(host)
        self.stacks[host] = stack(host, 77, **self.settings)
        self.stacks[host].restore(dict(self.stored[host]), self.now)

    def of(self, host: str, kind: type) -> list:  # type: ignore[type-arg]
        return [e for e in self.events[host] if isinstance(e, kind)]

    def sent(self, host: str, start: str) -> int:
        return sum(1 for _, who, data in self.log if who == host and data.startswith(start.encode()))


A, B = "192.0.2.1", "192.0.2.2"


def call(wire: Wire, leg: str = "out", **more: object) -> None:
    wire.stacks[A].invite(
        leg,
        call_id=f"{leg}@a",
        target_uri=f"sip:201@{B}" + ("" if wire.transport == "udp" else f";transport={wire.transport}"),
        from_uri="sip:100@a.example",
        from_display='Anna "A" Bo',
        sdp=OFFER,
        destination=Flow("ws", (A, 5060), (B, 5060), 7) if wire.transport == "ws" else None,
        now=wire.now,
        **more,  # type: ignore[arg-type]
    )


def ring(wire: Wire, leg: str = "in") -> None:
    invite = wire.of(B, InviteReceived)[-1]
    wire.stacks[B].adopt(invite.key, leg, now=wire.now)
    wire.stacks[B].respond(leg, 180, now=wire.now)


def connect(wire: Wire) -> None:
    call(wire)
    wire.run(0.1)
    ring(wire)
    wire.run(0.1)
    wire.stacks[B].respond("in", 200, sdp=ANSWER, now=wire.now)
    wire.run(0.1)


def assert_clean(wire: Wire) -> None:
    """Nothing is left of what went before: no legs, no stored dialogs, no transactions, no timers."""
    wire.run(70)
    for host, one in wire.stacks.items():
        assert one.legs == ()
        assert wire.stored[host] == {}
        assert len(one._tx.clients) == len(one._tx.servers) == len(one._timers) == 0
        assert not one._tx.pending
        assert not one._tx._merges
        assert not one._dialogs
        assert not one._legs
        assert not one._waiting
        assert not one._by_connection
        assert not one._passwords


@pytest.mark.parametrize("transport", ["udp", "tcp", "ws"])
def test_a_call_rings_is_answered_and_hung_up_by_either_side(transport: str) -> None:
    for who, leg in ((A, "out"), (B, "in")):
        wire = Wire(A, B, transport=transport)
        connect(wire)
        invite = wire.of(B, InviteReceived)[0]
        assert (invite.request_uri_user, invite.from_user, invite.from_host) == ("201", "100", "a.example")
        assert invite.from_display == 'Anna "A" Bo'
        assert invite.sdp == OFFER
        assert [e.status for e in wire.of(A, Progressed)] == [180]
        assert [(e.leg, e.sdp) for e in wire.of(A, AnsweredCall)] == [("out", ANSWER)]
        assert [e.leg for e in wire.of(B, Acked)] == ["in"]
        wire.stacks[who].bye(leg, reason="done", now=wire.now)
        wire.run(0.1)
        assert [e.by_peer for e in wire.of(A, Ended)] == [who == B]
        assert [e.by_peer for e in wire.of(B, Ended)] == [who == A]
        other = wire.of(B if who == A else A, Ended)[0]
        assert other.reason == 'SIP;text="done"'
        assert_clean(wire)


@pytest.mark.parametrize("seed", range(60))
def test_calls_survive_a_bad_wire(seed: int) -> None:
    """A quarter lost, some doubled, delays that reorder: every call ends up answered and then ended on both sides."""
    chance = random.Random(seed)
    wire = Wire(A, B)

    def fate(data: bytes, count: int) -> list[float]:
        if chance.random() < 0.25:
            return []
        copies = 2 if chance.random() < 0.1 else 1
        return [0.005 + chance.random() * 0.6 for _ in range(copies)]

    def answer(host: str, event: SipEvent) -> None:
        one = wire.stacks[host]
        match event:
            case InviteReceived():
                leg = f"in{len(wire.of(B, InviteReceived))}"
                one.adopt(event.key, leg, now=wire.now)
                one.respond(leg, 180, now=wire.now)
                one.respond(leg, 200, sdp=ANSWER, now=wire.now)
            case AnsweredCall():
                one.bye(event.leg, now=wire.now)

    wire.fate, wire.answer = fate, answer
    for number in range(5):
        call(wire, f"out{number}")
    wire.run(40)
    assert len(wire.of(B, InviteReceived)) == 5
    assert {e.leg for e in wire.of(A, AnsweredCall)} == {f"out{n}" for n in range(5)}
    assert len(wire.of(A, AnsweredCall)) == 5
    wire.run(70)
    assert len(wire.of(A, Ended)) == 5
    assert len(wire.of(B, Ended)) == 5
    assert_clean(wire)


@pytest.mark.parametrize("seed", range(30))
def test_cancel_races_the_answer(seed: int) -> None:
    """Whatever arrives first: the caller is told once that it failed, the callee of one end, nobody stays in a call."""
    chance = random.Random(seed)
    wire = Wire(A, B)
    wire.fate = lambda data, count: [] if chance.random() < 0.1 else [0.01 + chance.random() * 0.3]
    call(wire)
    while not wire.of(B, InviteReceived):
        wire.run(0.5)
    ring(wire)
    wire.run(chance.random() * 0.4)
    wire.stacks[A].cancel("out", reason='SIP;cause=200;text="elsewhere"', now=wire.now)
    wire.run(chance.random() * 0.4)
    wire.stacks[B].respond("in", 200, sdp=ANSWER, now=wire.now)
    wire.run(100)
    assert [e.status for e in wire.of(A, Failed)] == [487]
    assert not wire.of(A, AnsweredCall)
    assert len(wire.of(B, Cancelled)) + len(wire.of(B, Ended)) == 1
    assert_clean(wire)


def test_cancel_while_ringing() -> None:
    wire = Wire(A, B)
    call(wire)
    wire.run(0.1)
    ring(wire)
    wire.run(0.1)
    wire.stacks[A].cancel("out", reason='SIP;cause=200;text="elsewhere"', now=wire.now)
    wire.run(1)
    assert [(e.leg, e.reason) for e in wire.of(B, Cancelled)] == [("in", 'SIP;cause=200;text="elsewhere"')]
    assert [(e.status, e.by_peer) for e in wire.of(A, Failed)] == [(487, True)]
    assert_clean(wire)


def test_cancel_before_the_user_adopts_voids_the_key() -> None:
    wire = Wire(A, B)
    call(wire)
    wire.run(0.1)
    wire.stacks[A].cancel("out", now=wire.now)
    wire.run(1)
    key = wire.of(B, InviteReceived)[0].key
    assert wire.of(B, Withdrawn) == [Withdrawn(key)]
    wire.stacks[B].adopt(key, "late", now=wire.now)
    assert wire.stacks[B].legs == ()
    assert [e.status for e in wire.of(A, Failed)] == [487]
    assert_clean(wire)


def test_an_invite_that_nobody_adopts_is_turned_away() -> None:
    wire = Wire(A, B)
    call(wire)
    wire.run(40)
    assert [(e.status, e.retry_after) for e in wire.of(A, Failed)] == [(503, 5)]
    assert_clean(wire)


def test_refusals_are_told_with_reason_and_retry_after() -> None:
    wire = Wire(A, B)
    call(wire)
    wire.run(0.1)
    key = wire.of(B, InviteReceived)[0].key
    wire.stacks[B].refuse(
        key, 486, reason="On the phone", headers=[("Retry-After", "7 (soon)")], now=wire.now
    )
    wire.run(1)
    failed = wire.of(A, Failed)[0]
    assert (failed.status, failed.reason, failed.retry_after) == (486, "On the phone", 7)
    assert_clean(wire)


def test_silence_becomes_408_after_64_t1_and_retransmissions_double() -> None:
    wire = Wire(A, B)
    wire.fate = lambda data, count: []
    call(wire)
    wire.run(40)
    failed = wire.of(A, Failed)[0]
    assert (failed.status, failed.by_peer) == (408, False)
    # RFC 3261 17.1.1.2: 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
    times = [round(at - AT, 3) for at, who, _ in wire.log if who == A]
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert_clean(wire)


def test_nothing_is_repeated_over_a_stream_but_a_2xx() -> None:
    wire = Wire(A, B, transport="tcp")
    wire.fate = lambda data, count: [] if data.startswith(b"ACK") else [0.01]
    call(wire)
    wire.run(5)
    ring(wire)
    wire.run(5)
    assert wire.sent(A, "INVITE") == 1
    wire.stacks[B].respond("in", 200, sdp=ANSWER, now=wire.now)
    wire.run(10)
    # RFC 3261 13.3.1.4: 0, 0.5, 1.5, 3.5, 7.5 s
    assert wire.sent(B, "SIP/2.0 200") == 5
    wire.run(30)
    assert [(e.why, e.by_peer) for e in wire.of(B, Ended)] == [("no ack", False)]
    wire.run(5)
    assert [e.by_peer for e in wire.of(A, Ended)] == [True]


def test_two_hundred_without_ack_ends_with_bye() -> None:
    wire = Wire(A, B)
    wire.fate = lambda data, count: [] if data.startswith(b"ACK") else [0.01]
    connect(wire)
    assert wire.of(A, AnsweredCall)
    wire.run(40)
    assert [e.why for e in wire.of(B, Ended)] == ["no ack"]
    assert wire.sent(B, "BYE") == 1
    assert_clean(wire)


def test_bye_before_the_ack_waits_for_it() -> None:
    wire = Wire(A, B)
    lost = iter([True, True])
    wire.fate = lambda data, count: [] if data.startswith(b"ACK") and next(lost, False) else [0.01]
    connect(wire)
    wire.stacks[B].bye("in", now=wire.now)
    wire.run(0.05)
    assert wire.sent(B, "BYE") == 0
    wire.run(5)
    assert wire.sent(B, "BYE") == 1
    assert len(wire.of(A, Ended)) == 1
    assert_clean(wire)


def test_late_offer_comes_with_200_and_its_answer_with_ack() -> None:
    wire = Wire(A, B)
    wire.stacks[A].invite(
        "out", call_id="late", target_uri=f"sip:201@{B}", from_uri="sip:1@a", sdp=None, now=wire.now
    )
    wire.run(0.1)
    assert wire.of(B, InviteReceived)[0].sdp is None
    ring(wire)
    wire.stacks[B].respond("in", 200, sdp=OFFER, now=wire.now)
    wire.run(0.1)
    assert wire.of(A, AnsweredCall)[0].sdp == OFFER
    assert not wire.of(B, Acked)
    wire.stacks[A].ack("out", ANSWER, now=wire.now)
    wire.run(0.1)
    assert wire.of(B, Acked) == [Acked("in", ANSWER)]


def test_reinvite_both_ways_with_answer_and_refusal() -> None:
    wire = Wire(A, B)
    connect(wire)
    for who, other, leg, far in ((A, B, "out", "in"), (B, A, "in", "out")):
        wire.stacks[who].reinvite(leg, OFFER, now=wire.now)
        wire.run(0.1)
        assert wire.of(other, ReInvited)[-1] == ReInvited(far, OFFER)
        wire.stacks[other].answer_reinvite(far, ANSWER, now=wire.now)
        wire.run(0.1)
        assert wire.of(who, Reanswered)[-1] == Reanswered(leg, ANSWER, 200)
        wire.stacks[who].update(leg, OFFER, now=wire.now)
        wire.run(0.1)
        wire.stacks[other].reject_reinvite(far, 488, now=wire.now)
        wire.run(0.1)
        assert wire.of(who, Reanswered)[-1] == Reanswered(leg, None, 488)
    assert wire.sent(A, "UPDATE") == wire.sent(B, "UPDATE") == 1
    wire.stacks[A].reinvite("out", None, now=wire.now)
    wire.run(0.1)
    assert wire.of(B, ReInvited)[-1] == ReInvited("in", None)
    wire.stacks[B].answer_reinvite("in", OFFER, now=wire.now)
    wire.run(0.1)
    wire.stacks[A].ack("out", ANSWER, now=wire.now)
    wire.run(0.1)
    assert wire.of(B, Reanswered)[-1] == Reanswered("in", ANSWER, 200)
    wire.stacks[A].bye("out", now=wire.now)
    assert_clean(wire)


def test_glare_is_solved_by_waiting() -> None:
    wire = Wire(A, B)
    connect(wire)

    def answer(host: str, event: SipEvent) -> None:
        if isinstance(event, ReInvited):
            wire.stacks[host].answer_reinvite(event.leg, ANSWER, now=wire.now)

    wire.answer = answer
    wire.stacks[A].reinvite("out", OFFER, now=wire.now)
    wire.stacks[B].reinvite("in", OFFER, now=wire.now)
    wire.run(10)
    assert wire.sent(A, "SIP/2.0 491") == wire.sent(B, "SIP/2.0 491") == 1
    assert [e.status for e in wire.of(A, Reanswered)] == [200]
    assert [e.status for e in wire.of(B, Reanswered)] == [200]


def test_transfer_by_refer_and_its_notifies() -> None:
    wire = Wire(A, B)
    connect(wire)
    call(wire, "second")
    wire.run(0.1)
    ring(wire, "in2")
    wire.stacks[B].respond("in2", 200, sdp=ANSWER, now=wire.now)
    wire.run(0.1)
    wire.stacks[A].refer("out", f"sip:300@{B}", replaces_leg="second", now=wire.now)
    wire.run(0.1)
    referred = wire.of(B, Referred)[0]
    assert (referred.leg, referred.refer_to_uri, referred.refer_to_user) == ("in", f"sip:300@{B}", "300")
    assert referred.replaces is not None
    assert referred.replaces.leg == "in2"
    wire.stacks[B].accept_refer("in", now=wire.now)
    wire.run(0.1)
    wire.stacks[B].notify_transfer("in", 180, final=False, now=wire.now)
    wire.run(0.1)
    wire.stacks[B].notify_transfer("in", 200, final=True, now=wire.now)
    wire.run(0.1)
    assert [e.status for e in wire.of(A, TransferProgressed)] == [100, 180, 200]
    wire.stacks[A].refer("out", "sip:1@x", now=wire.now)
    wire.run(0.1)
    wire.stacks[B].reject_refer("in", 603, now=wire.now)
    wire.run(0.1)
    assert wire.of(A, TransferProgressed)[-1].status == 603


@pytest.mark.parametrize("refresher_dies", [False, True])
def test_session_timer_refreshes_or_ends(refresher_dies: bool) -> None:
    wire = Wire(A, B, session_expires=120)
    connect(wire)
    wire.run(1000)
    refreshes = wire.sent(A, "UPDATE") + wire.sent(B, "UPDATE")
    assert 15 <= refreshes <= 17
    assert not wire.of(A, Ended)
    dead, alive = (A, B) if refresher_dies else (B, A)
    wire.down.add(dead)
    wire.run(200)
    assert [e.why for e in wire.of(alive, Ended)] == ["session expired"]


def test_a_session_interval_too_small_is_asked_for_again() -> None:
    wire = Wire(A, B)
    wire.stacks[B] = stack(B, 5, min_se=300, session_expires=600)
    wire.stacks[A] = stack(A, 6, session_expires=120)
    call(wire)
    wire.run(0.2)
    assert wire.sent(B, "SIP/2.0 422") == 1
    ring(wire)
    wire.stacks[B].respond("in", 200, sdp=ANSWER, now=wire.now)
    wire.run(1)
    assert wire.of(A, AnsweredCall)
    ok = next(data for _, who, data in wire.log if who == B and data.startswith(b"SIP/2.0 200"))
    assert b"Session-Expires: 300;refresher=uac" in ok


def test_challenged_invite_is_repeated_with_credentials() -> None:
    for password, outcome in (("secret", AnsweredCall), ("wrong", Failed)):
        wire = Wire(A, B)

        def answer(host: str, event: SipEvent, wire: Wire = wire) -> None:
            if isinstance(event, InviteReceived):
                one = wire.stacks[host]
                verdict = event.auth and one.check_credentials(event.auth, "secret", "acme", wire.now)
                if verdict != "good":
                    one.challenge(event.key, "acme", now=wire.now)
                    return
                one.adopt(event.key, "in", now=wire.now)
                one.respond("in", 200, sdp=ANSWER, now=wire.now)

        wire.answer = answer
        call(wire, credentials=("anna", password))
        wire.run(2)
        assert len(wire.of(A, outcome)) == 1
        assert wire.sent(A, "INVITE") == 2
        assert not any(b"secret" in data for data in wire.stored[A].values())
        if outcome is AnsweredCall:
            wire.stacks[A].bye("out", now=wire.now)
        assert_clean(wire)


def test_trunk_registration_refreshes_backs_off_and_leaves() -> None:
    wire = Wire(A, B)
    held = Registrar(max_expires=300)
    broken = False

    def answer(host: str, event: SipEvent) -> None:
        nonlocal held
        if not isinstance(event, RegisterReceived):
            return
        one = wire.stacks[host]
        if broken:
            one.refuse(event.key, 503, headers=[("Retry-After", "100")], now=wire.now)
        elif not event.auth or one.check_credentials(event.auth, "pw", "carrier", wire.now) != "good":
            one.challenge(event.key, "carrier", now=wire.now)
        else:
            done = held.update(event, wire.now)
            assert not isinstance(done, Refusal)
            held = done.registrar
            one.accept_register(event.key, granted(done.bindings, wire.now), now=wire.now)

    wire.answer = answer
    wire.stacks[A].register(
        "carrier", registrar_uri=f"sip:{B}", aor="sip:acct@carrier", user="acct", password="pw", now=wire.now
    )
    wire.run(0.2)
    assert [e.expires for e in wire.of(A, TrunkRegistered)] == [300]
    wire.run(1500)
    assert held.lookup("acct", wire.now)
    assert 5 <= len(wire.of(A, TrunkRegistered)) <= 7
    broken = True
    wire.run(400)
    failed = wire.of(A, TrunkRegistrationFailed)
    assert failed
    assert failed[0].status == 503
    assert len(failed) <= 4
    broken = False
    wire.run(400)
    assert held.lookup("acct", wire.now)
    wire.stacks[A].unregister("carrier", now=wire.now)
    wire.run(1)
    assert not held.lookup("acct", wire.now)
    assert_clean(wire)


def test_options_tells_life_and_death() -> None:
    wire = Wire(A, B)
    wire.stacks[A].options("ping", f"sip:{B}", now=wire.now)
    wire.run(1)
    wire.down.add(B)
    wire.stacks[A].options("ping2", f"sip:{B}", now=wire.now)
    wire.run(40)
    assert wire.of(A, OptionsAnswered) == [OptionsAnswered("ping", 200), OptionsAnswered("ping2", 408)]


@pytest.mark.parametrize("moment", ["calling", "ringing", "answering", "talking", "ending"])
@pytest.mark.parametrize("victim", [A, B])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_crash_at_any_moment_costs_no_call(victim: str, moment: str, transport: str) -> None:
    """The process dies, comes back after 3 s with what was stored, and the call goes its way."""
    if transport == "tcp" and victim == B and moment in ("calling", "ending"):
        pytest.skip(
            "a request of the peer's that was read from the connection and not yet stored is lost with it"
        )
    wire = Wire(A, B, transport=transport)
    moments = iter(["calling", "ringing", "answering", "talking", "ending"])

    def step() -> None:
        if next(moments) == moment:
            wire.crash(victim)
            wire.run(3)
            wire.restart(victim)
        wire.run(3)

    def at(host: str) -> SipStack:
        return wire.stacks[host]

    call(wire)
    wire.run(0.011 if moment == "calling" and victim == B else 0.001)
    if wire.of(B, InviteReceived):
        at(B).adopt(wire.of(B, InviteReceived)[-1].key, "in", now=wire.now)
    step()
    if "in" not in at(B).legs:
        at(B).adopt(wire.of(B, InviteReceived)[-1].key, "in", now=wire.now)
    at(B).respond("in", 180, now=wire.now)
    wire.run(0.001)
    step()
    at(B).respond("in", 200, sdp=ANSWER, now=wire.now)
    wire.run(0.001)
    step()
    wire.run(0.5)
    step()
    assert [e.leg for e in wire.of(A, AnsweredCall)] == ["out"]
    assert [e.leg for e in wire.of(B, Acked)] == ["in"]
    at(A).bye("out", now=wire.now)
    wire.run(0.001)
    step()
    assert len(wire.of(B, Ended)) == 1
    assert not wire.of(A, Failed)
    wire.run(100)
    assert at(A).legs == at(B).legs == ()
    assert wire.stored == {A: {}, B: {}}


def test_stored_value_restores_to_itself() -> None:
    wire = Wire(A, B)
    connect(wire)
    before = dict(wire.stored[A])
    again = stack(A, 9)
    again.restore(before, wire.now)
    assert again.take_changed() == []
    again._dirty["out"] = None
    again._stored.clear()
    assert dict(again.take_changed()) == before


def test_unreadable_stored_dialog_is_named() -> None:
    with pytest.raises(ValueError, match="leg 'x'"):
        stack(A).restore({"x": b"{}"}, AT)


@pytest.mark.parametrize("who", [A, B])
def test_a_browser_that_comes_back_hears_what_it_missed(who: str) -> None:
    """Its socket closes, we hang up meanwhile, the BYE waits; it comes back over another socket and gets it."""
    wire = Wire(A, B, transport="ws")
    connect(wire)
    leg = "out" if who == A else "in"
    one = wire.stacks[who]
    (flow,) = one._by_connection
    one.flow_closed(flow, wire.now)
    wire.run(0.1)
    assert wire.of(who, PeerUnreachable) == [PeerUnreachable(leg)]
    one.bye(leg, now=wire.now)
    wire.run(5)
    assert wire.sent(who, "BYE") == 0
    one.rebind(leg, replace(flow, connection=99), now=wire.now)
    wire.run(1)
    assert wire.sent(who, "BYE") == 1
    assert len(wire.of(A, Ended)) == len(wire.of(B, Ended)) == 1
    assert_clean(wire)


def test_a_browser_that_stays_away_is_given_up() -> None:
    wire = Wire(A, B, transport="ws")
    connect(wire)
    one = wire.stacks[B]
    (flow,) = one._by_connection
    one.flow_closed(flow, wire.now)
    one.reinvite("in", OFFER, now=wire.now)
    wire.run(33)
    assert [e.why for e in wire.of(B, Ended)] == ["dialog lost"]


def test_a_lost_tcp_connection_is_opened_anew_to_the_contact() -> None:
    wire = Wire(A, B, transport="tcp")
    connect(wire)
    one = wire.stacks[B]
    (flow,) = one._by_connection
    one.flow_closed(flow, wire.now)
    one.bye("in", now=wire.now)
    ((again, data),) = one.take_outgoing()
    assert (again.remote, again.connection) == ((A, 5060), 0)
    assert data.startswith(b"BYE")
    one.flow_closed(again, wire.now)
    wire.run(1)
    assert one.legs == ()


def test_a_broken_connection_fails_the_call_with_503() -> None:
    wire = Wire(A, B, transport="tcp")
    wire.fate = lambda data, count: []
    call(wire)
    (flow, _), *_ = wire.stacks[A].take_outgoing()
    wire.stacks[A].flow_closed(flow, wire.now)
    wire.run(0.1)
    assert [(e.status, e.by_peer) for e in wire.of(A, Failed)] == [(503, False)]
    assert_clean(wire)


def test_digits_by_info() -> None:
    wire = Wire(A, B)
    connect(wire)
    leg = wire.stacks[A]._legs["out"]
    for body, kind in (("Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"), ("#", "application/dtmf")):
        wire.stacks[A]._request(leg, "INFO", "info", wire.now, (), body, kind)
        wire.run(0.1)
    assert wire.of(B, InfoReceived) == [InfoReceived("in", "5", 160), InfoReceived("in", "#", 100)]
