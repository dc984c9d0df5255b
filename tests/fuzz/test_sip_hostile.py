"""Random and hostile input: nothing raises, nothing stays behind, every answer can be read."""

import contextlib
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centrala.protocols.sip import message as messages
from centrala.protocols.sip import sdp
from centrala.protocols.sip.events import AnsweredCall, InviteReceived, Referred, RegisterReceived, ReInvited
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.framing import FramingError, StreamFramer
from centrala.protocols.sip.stack import ListeningPoint, SipStack, StackConfig

pytestmark = pytest.mark.fuzz

AT = 1_700_000_000.0
US, PEER = ("192.0.2.2", 5060), ("192.0.2.1", 5060)
OFFER = sdp.offer(sdp.LocalMedia("192.0.2.1", 4000))


def stack(seed: int = 1) -> SipStack:
    source = random.Random(seed)
    points = (ListeningPoint("udp", *US), ListeningPoint("tcp", *US))
    return SipStack(StackConfig(points, max_pending_per_source=50), lambda n: source.randbytes(n).hex())


def corpus() -> list[bytes]:
    text = (Path(__file__).parent.parent / "data" / "sip" / "rfc4475.txt").read_text()
    found = [block.partition("\n")[2].replace("\n", "\r\n").encode() for block in text.split("=== ")[1:]]
    for method in (
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "PRACK",
        "UPDATE",
        "REFER",
        "NOTIFY",
        "INFO",
        "REGISTER",
    ):
        found.append(
            f"{method} sip:201@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKf;rport\r\n"
            f"From: <sip:1@h>;tag=far\r\nTo: <sip:2@h>\r\nCall-ID: fuzz\r\nCSeq: 5 {method}\r\n"
            f"Contact: <sip:1@192.0.2.1>\r\nSession-Expires: 1800;refresher=uac\r\nSupported: timer, 100rel\r\n"
            f"Refer-To: <sip:3@h?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r\nReplaces: a;to-tag=b;from-tag=c\r\n"
            f"Event: refer\r\nSubscription-State: active\r\nRAck: 1 5 INVITE\r\nPath: <sip:e;lr>\r\n"
            f'Authorization: Digest username="a",realm="r",nonce="n",uri="u",response="x",nc=1,qop=auth\r\n'
            f"Content-Type: application/sdp\r\nContent-Length: {len(OFFER)}\r\n\r\n{OFFER}".encode()
        )
    return found


SEEDS = corpus()
BITS = [
    *(
        b"\r\n",
        b"\n",
        b"\r\n ",
        b"\0",
        b"\xff",
        b":",
        b";",
        b",",
        b"<",
        b">",
        b'"',
        b"\\",
        b"=",
        b"@",
        b"%00",
        b"[",
    ),
    *(
        b"]",
        b"sip:",
        b"tel:",
        b";tag=",
        b"SIP/2.0",
        b"99999999999999999999",
        b"-1",
        b"\xd0\xb9",
        b"?",
        b"*",
        b" ",
        b"0",
    ),
]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A message with a few bites taken out, put in, doubled or swapped."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 6))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                data = data[:at] + draw(st.sampled_from(BITS)) + data[at:]
            case 1:
                data = data[:at] + data[at + draw(st.integers(1, 30)) :]
            case 2:
                data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
            case 3:
                lines = data.split(b"\r\n")
                lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(lines)))
                data = b"\r\n".join(lines)
            case _:
                data = data[:at]
    return data


def respond_to_all(one: SipStack, now: float, choice: random.Random) -> None:
    for event in one.take_events():
        match event:
            case InviteReceived():
                leg = f"leg{choice.random()}"
                one.adopt(event.key, leg, now=now)
                one.respond(leg, choice.choice([180, 200, 404]), sdp=OFFER, now=now)
            case RegisterReceived():
                if choice.random() < 0.5:
                    one.accept_register(event.key, event.contacts, now=now)
                else:
                    one.challenge(event.key, "realm", now=now)
            case ReInvited() if choice.random() < 0.8:
                one.answer_reinvite(event.leg, OFFER, now=now)
            case Referred() if choice.random() < 0.8:
                one.accept_refer(event.leg, now=now)
                one.notify_transfer(event.leg, 200, final=True, now=now)
            case AnsweredCall():
                one.bye(event.leg, now=now)
            case _:
                pass


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(mangled(), min_size=1, max_size=6), st.integers(0, 2**16), st.booleans())
def test_nothing_raises_and_nothing_stays(received: list[bytes], seed: int, stream: bool) -> None:
    one = stack(seed)
    choice = random.Random(seed)
    now = AT
    flow = Flow("tcp" if stream else "udp", US, PEER, 3 if stream else 0)
    one.invite("ours", call_id="fuzz", target_uri="sip:1@192.0.2.1", from_uri="sip:2@h", sdp=OFFER, now=now)
    # our own tags and branches in the peer's mouth, so that mangled messages reach deep
    ((_, invite),) = one.take_outgoing()
    own = messages.parse(invite)
    tags = [own.from_.tag]
    for data in received:
        if choice.random() < 0.7:
            tag = choice.choice(tags).encode()
            data = data.replace(b"z9hG4bKf", own.via.branch.encode()).replace(
                b"<sip:2@h>", b"<sip:2@h>;tag=" + tag
            )
            data = data.replace(b"CSeq: 5", f"CSeq: {choice.randrange(1, 12)}".encode())
        elif choice.random() < 0.7:
            data = data.replace(b"z9hG4bKf", f"z9hG4bK{choice.random()}".encode())
        one.receive(data, flow, now)
        respond_to_all(one, now, choice)
        for _, answer in one.take_outgoing():
            read = messages.parse(answer)
            assert b"\r\n\r\n" in answer
            assert "" not in read.headers or read.status >= 400
            if 200 <= read.status < 300:
                tags.append(read.to.tag)
        for leg, stored in one.take_changed():
            if stored is not None:
                stack(2).restore({leg: stored}, now)
        if choice.random() < 0.05:
            one.flow_closed(flow, now)
        now += choice.random() * 3
        one.advance(now)
    for leg in one.legs:
        one.bye(leg, now=now)
    for _ in range(40):
        now += 10
        one.advance(now)
        one.take_events()
        one.take_outgoing()
    assert one.legs == ()
    assert len(one._tx.clients) == len(one._tx.servers) == len(one._timers) == len(one._dialogs) == 0
    assert not one._tx.pending
    assert not one._waiting


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300) | mangled())
def test_any_bytes(data: bytes) -> None:
    one = stack()
    one.receive(data, Flow("udp", US, PEER), AT)
    with contextlib.suppress(FramingError):
        StreamFramer().feed(data)


SDP_LINES = [
    *OFFER.split("\r\n"),
    *("m=", "c=IN IP4", "a=rtpmap:", "m=audio 1 2 3", "a=ptime:x", "v=", "a=rtpmap:8 PCMA/99999999999"),
    *(
        "m=audio 5/2 RTP/AVP 8 x 999 -1",
        "c=IN IP6 ::",
        "a=fmtp:1",
        "a=rtcp:999999",
        "a=mid:\u00b2",
        "m=audio \u00b2 x 0",
    ),
]


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(SDP_LINES), max_size=20))
def test_any_session_description(lines: list[str]) -> None:
    text = "\r\n".join(lines)
    try:
        answer, agreed = sdp.answer(text, sdp.LocalMedia("192.0.2.2", 20000))
    except sdp.SdpError:
        return
    again = sdp.parse(answer)
    assert len(again.media) == len(sdp.parse(text).media)
    assert sum(m.port != 0 for m in again.media) == 1
    assert agreed.payload in {8, 0}


def test_regular_expressions_stay_linear() -> None:
    """Long runs of what could make a pattern step back and forth are read in no time at all."""
    runs = [
        b";",
        b'"',
        b"\\",
        b" ",
        b";a=",
        b"<",
        b"\r\n ",
        b", ",
        b'";',
        b"a",
        b";a",
        b'="',
        b"%",
        b"a,",
        b"a=,",
        b"\t=",
    ]
    nasty = [run * (60_000 // len(run)) for run in runs]
    began = time.process_time()
    for text in nasty:
        for header in (
            b"Via: SIP/2.0/UDP h",
            b"From: ",
            b"Contact: ",
            b"CSeq: 1",
            b"Authorization: Digest a=b",
            b"X: ",
        ):
            data = SEEDS[-10].replace(b"\r\nContact:", b"\r\n" + header + text + b"\r\nContact:", 1)
            stack().receive(data, Flow("udp", US, PEER), AT)
            StreamFramer(200_000).feed(data.partition(b"\r\n\r\n")[0] + b"\r\nContent-Length: 0\r\n\r\n")
    assert time.process_time() - began < 20
