"""Values: digest against the RFCs' vectors, messages against a foreign parser, URIs, framing, registrar, SDP."""

from dataclasses import replace

import pytest
import sipmessage
from test_sip_torture import MESSAGES

from centrala.protocols.sip import digest, sdp
from centrala.protocols.sip import message as messages
from centrala.protocols.sip.digest import DigestCredentials, DigestServer, Verdict
from centrala.protocols.sip.events import ContactBinding, RegisterReceived
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.framing import FramingError, StreamFramer
from centrala.protocols.sip.message import Message
from centrala.protocols.sip.refer import parse_replaces, refer_target, refer_to, sipfrag_status
from centrala.protocols.sip.registrar import Refusal, Registrar, Updated, granted
from centrala.protocols.sip.uri import (
    SipSyntaxError,
    escape_user,
    format_name_addr,
    format_params,
    parse_name_addr,
    parse_params,
    parse_uri,
    split_list,
)

pytestmark = pytest.mark.unit

RFC2617 = DigestCredentials(
    "GET", "Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html",
    "6629fae49393a05397450978507c4ef1", "MD5", "0a4f113b", "00000001", "auth",
)  # fmt: skip
RFC7616 = DigestCredentials(
    "GET", "Mufasa", "http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "/dir/index.html",
    "8ca523f5e9506fed4657c9700eebdbec", "MD5", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "00000001", "auth",
)  # fmt: skip
SHA256 = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"


def test_digest_vectors_of_rfc_2617_and_7616() -> None:
    assert digest.expected_response(RFC2617, "Circle Of Life") == RFC2617.response
    assert digest.expected_response(RFC7616, "Circle of Life") == RFC7616.response
    assert digest.expected_response(replace(RFC7616, algorithm="SHA-256"), "Circle of Life") == SHA256
    # RFC 2069 2.4 as corrected by its erratum 749: no qop
    old = replace(RFC2617, qop="", nc="", cnonce="")
    assert digest.expected_response(old, "CircleOfLife") == "1949323746fe6a43ef61f9606e7febea"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
def test_server_and_client_agree(algorithm: str) -> None:
    server = DigestServer(b"secret", lifetime=60)
    (header,) = server.challenges('a "realm"', [algorithm], 1000.0)
    challenge = digest.best_challenge([header])
    assert challenge is not None

    def tried(password: str, count: int = 1) -> DigestCredentials:
        value = digest.answer_challenge(
            challenge,
            method="INVITE",
            uri="sip:x",
            user='an"na',
            password=password,
            cnonce="abc",
            count=count,
        )
        return digest.parse_credentials(value, "INVITE")

    realm = 'a "realm"'
    assert server.check(tried("wrong"), "right", realm, 1001) is Verdict.WRONG
    assert server.check(tried("right"), "right", realm, 1001) is Verdict.GOOD
    assert server.check(tried("right"), "right", realm, 1001) is Verdict.REPLAYED
    assert server.check(tried("right", 2), "right", realm, 1001) is Verdict.GOOD
    assert server.check(tried("right", 3), "right", realm, 1100) is Verdict.STALE
    assert server.check(tried("right", 3), "right", "other realm", 1001) is Verdict.WRONG
    assert server.check(replace(tried("right", 4), method="BYE"), "right", realm, 1001) is Verdict.WRONG
    assert DigestServer(b"other").check(tried("right", 5), "right", realm, 1001) is Verdict.STALE
    assert "stale=true" in server.challenges(realm, [algorithm], 1, stale=True)[0]


def test_nonce_counts_take_bounded_memory() -> None:
    server = DigestServer(b"s", max_nonces=10)
    for at in range(100):
        challenge = digest.parse_challenge(server.challenges("r", ["MD5"], at)[0])
        value = digest.answer_challenge(challenge, method="X", uri="u", user="u", password="p", cnonce="c")
        assert server.check(digest.parse_credentials(value, "X"), "p", "r", at) is Verdict.GOOD
    assert len(server._counts) == 10


def test_the_strongest_known_challenge_is_answered() -> None:
    values = ['Digest realm="r",nonce="n",algorithm=MD5', 'Digest realm="r",nonce="n",algorithm=SHA-256,qop="auth"',
              'Digest realm="r",nonce="n",algorithm=FUTURE-1', "Basic realm=x"]  # fmt: skip
    best = digest.best_challenge(values)
    assert best is not None
    assert best.algorithm == "SHA-256"
    assert digest.best_challenge(values[2:]) is None


WELL_FORMED = [
    "esc01",
    "semiuri",
    "transports",
    "unreason",
    "cparam01",
    "cparam02",
    "regescrt",
    "bext01",
    "zeromf",
]


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_foreign_parser_reads_the_same(name: str) -> None:
    data = MESSAGES[name].replace(b"\r\n  ", b" ").replace(b"\r\n     ", b" ").replace(b"i:", b"Call-ID:")
    data = (
        data.replace(b"\nM:", b"\nContact:")
        .replace(b"L:0", b"Content-Length: 0")
        .replace(b"\nl:", b"\nContent-Length:")
    )
    data = data.replace(b"\nC:", b"\nContent-Type:")
    ours, theirs = messages.parse(data), sipmessage.Message.parse(data)
    assert ours.via.branch == theirs.via[0].parameters.get("branch")
    assert ours.via.host == theirs.via[0].host
    assert ours.cseq == (theirs.cseq.sequence, theirs.cseq.method)
    assert parse_uri(ours.to.uri).host == theirs.to_address.uri.host
    assert parse_uri(ours.from_.uri).host == theirs.from_address.uri.host
    assert ours.from_.tag == theirs.from_address.parameters.get("tag")
    assert ours.call_id == theirs.call_id
    assert ours.body == theirs.body


def test_what_we_write_a_foreign_parser_reads() -> None:
    data = messages.request(
        "INVITE", "sip:a@b", ["Via: SIP/2.0/UDP h;branch=z9hG4bKx", "CSeq: 1 INVITE"], "v=0\r\n"
    )
    read = sipmessage.Message.parse(data)
    assert isinstance(read, sipmessage.Request)
    assert read.body == b"v=0\r\n"
    asked = messages.parse(MESSAGES["semiuri"])
    answer = sipmessage.Message.parse(messages.response(asked, 486, None, "mine", ["Retry-After: 5"]))
    assert isinstance(answer, sipmessage.Response)
    assert (answer.code, answer.phrase) == (486, "Busy Here")
    assert answer.to_address.parameters.get("tag") == "mine"


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "transport"),
    [
        ("sip:a@B.example", "a", "b.example", 0, "udp"),
        ("sips:a:pw@b:5071;transport=tcp", "a", "b", 5071, "tls"),
        ("sip:[2001:db8::1]:5070;transport=TCP", "", "2001:db8::1", 5070, "tcp"),
        ("sip:+48%2022@h;lr?x=y", "+48 22", "h", 0, "udp"),
        ("tel:+4822", "+4822", "", 0, "udp"),
    ],
)
def test_uris(text: str, user: str, host: str, port: int, transport: str) -> None:
    uri = parse_uri(text)
    assert (uri.user, uri.host, uri.port, uri.transport) == (user, host, port, transport)


@pytest.mark.parametrize(
    "text", ["", "sip:", "sip:@h", "nothing", "sip:a@h:99999", "sip:a@h:x", "sip:a b@h", "sip:a@[::"]
)
def test_unreadable_uris(text: str) -> None:
    with pytest.raises(SipSyntaxError):
        parse_uri(text)


def test_names_that_could_forge_a_header_are_tamed() -> None:
    value = format_name_addr("sip:a@b", 'A "B"\r\nEvil: yes\\', "t")
    assert "\r" not in value
    assert "\n" not in value
    read = parse_name_addr(value)
    assert (read.display, read.uri, read.tag) == ('A "B"  Evil: yes\\', "sip:a@b", "t")
    assert split_list('"a,b" <sip:x,y@h>;p, <sip:z@h>') == ['"a,b" <sip:x,y@h>;p', "<sip:z@h>"]
    assert parse_uri(f"sip:{escape_user('a b@ż')}@h").user == "a b@ż"
    assert messages.clean("x\r\nEvil: y") == "x  Evil: y"


def test_parameters_are_quoted_again_where_they_must_be() -> None:
    text = ';a;b=c;d="x;y \\"z\\"";e=[2001:db8::1]'
    assert format_params(parse_params(text)) == text


def test_replaces_within_refer_to() -> None:
    value = refer_to("sip:300@h", "call@x", "to1", "from1")
    target, replaces = refer_target(parse_uri(parse_name_addr(value).uri))
    assert target == "sip:300@h"
    assert replaces == parse_replaces("call@x;to-tag=to1;from-tag=from1")
    assert sipfrag_status("SIP/2.0 486 Busy\r\n") == 486
    assert sipfrag_status("nonsense") is None


def test_framer_cuts_however_the_bytes_come() -> None:
    one = messages.request("MESSAGE", "sip:a@b", ["l2: x"], "hello", "text/plain")
    two = b"OPTIONS sip:a@b SIP/2.0\r\nl : 0\r\n\r\n"
    stream = b"\r\n\r\n" + one + two + b"\r\n\r\n\r\n" + one
    for step in (1, 2, 3, 7, 50, 10_000):
        framer, found, pongs = StreamFramer(), [], b""
        for at in range(0, len(stream), step):
            more, pong = framer.feed(stream[at : at + step])
            found += more
            pongs += pong
        assert found == [one, two, one]
        assert pongs == b"\r\n" * 2


@pytest.mark.parametrize(
    "data", [b"A" * 70_000, b"X sip:a SIP/2.0\r\n\r\n", b"X y z\r\nContent-Length: 99999999\r\n\r\n"]
)
def test_framer_gives_up_on_what_it_cannot_follow(data: bytes) -> None:
    with pytest.raises(FramingError):
        StreamFramer().feed(data)


FLOW = Flow("udp", ("192.0.2.2", 5060), ("192.0.2.1", 5060))


def register(
    *contacts: ContactBinding, cseq: int = 1, call_id: str = "c", everything: bool = False
) -> RegisterReceived:
    return RegisterReceived("k", "anna", "h", contacts, everything, None, call_id, cseq, ("<sip:edge;lr>",), FLOW,
                            "phone", Message("", "", 0, "", ""))  # fmt: skip


def test_registrar_adds_refreshes_orders_removes_and_expires() -> None:
    desk, soft = ContactBinding("sip:a@1", 600, 0.5), ContactBinding("sip:a@2", 9999, 1.0, "urn:x", 1)
    first = Registrar().update(register(desk, soft), 100)
    assert isinstance(first, Updated)
    held = first.registrar
    assert [b.uri for b in held.lookup("anna", 100)] == ["sip:a@2", "sip:a@1"]
    assert [b.expires_at for b in first.bindings] == [700, 3700]
    assert held.update(register(desk), 100) == Refusal(500, "Out of order")
    moved = held.update(register(replace(soft, uri="sip:a@3"), cseq=2), 200)
    assert isinstance(moved, Updated)
    assert [b.uri for b in moved.registrar.lookup("anna", 200)] == ["sip:a@3", "sip:a@1"]
    assert moved.added == ()
    assert [c.expires for c in granted(moved.bindings, 200)] == [500, 3600]
    gone = moved.registrar.update(register(replace(desk, expires=0), cseq=3), 300)
    assert isinstance(gone, Updated)
    assert [b.uri for b in gone.removed] == ["sip:a@1"]
    assert Registrar.from_json(moved.registrar.to_json()) == moved.registrar
    later, expired = moved.registrar.expire(800)
    assert [b.uri for b in expired] == ["sip:a@1"]
    assert later.next_expiry() == 3800
    assert later.drop_flow(FLOW)[0].users == {}
    empty = held.update(register(everything=True, cseq=9), 300)
    assert isinstance(empty, Updated)
    assert empty.registrar.lookup("anna", 300) == ()
    assert len(held.lookup("anna", 300)) == 2
    brief = held.update(register(ContactBinding("sip:a@9", 5), cseq=5), 300)
    assert isinstance(brief, Refusal)
    assert (brief.status, brief.headers) == (423, (("Min-Expires", "30"),))
    many = held.update(register(*(ContactBinding(f"sip:a@h{n}", 60) for n in range(20)), cseq=6), 300)
    assert isinstance(many, Refusal)
    with pytest.raises(ValueError, match="can't be read"):
        Registrar.from_json(b'[{"user": 1}]')


# RFC 3264 10.1, with PCMA in front and events added
RFC3264 = """v=0
o=alice 2890844526 2890844526 IN IP4 host.anywhere.com
s=
c=IN IP4 192.0.2.1
t=0 0
m=video 51372 RTP/AVP 31
a=rtpmap:31 H261/90000
m=audio 49170 RTP/AVP 97 8 0 100
a=rtpmap:97 iLBC/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:100 telephone-event/8000
a=ptime:30
m=audio 53000 RTP/AVP 0
"""
LOCAL = sdp.LocalMedia("192.0.2.9", 20000)


def test_answer_takes_the_first_common_codec_and_refuses_other_streams() -> None:
    text, agreed = sdp.answer(RFC3264, LOCAL)
    assert [line for line in text.split("\r\n") if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 31",
        "m=audio 20000 RTP/AVP 8 0 100",
        "m=audio 0 RTP/AVP 0",
    ]
    assert (agreed.address, agreed.port, agreed.codec, agreed.payload) == ("192.0.2.1", 49170, "PCMA", 8)
    assert agreed.payloads == {"PCMA": 8, "PCMU": 0}
    assert (agreed.events_payload, agreed.ptime, agreed.rtcp_port, agreed.rtcp_mux) == (100, 30, 49171, False)
    assert "a=rtpmap:100 telephone-event/8000" in text
    assert "rtcp-mux" not in text
    back = sdp.accept(text.replace("m=video 0 RTP/AVP 31\r\n", ""), sdp.LocalMedia("192.0.2.1", 49170))
    assert (back.address, back.port, back.payload, back.events_payload) == ("192.0.2.9", 20000, 8, 100)


@pytest.mark.parametrize(
    ("line", "ours", "held", "said"),
    [
        ("a=sendrecv", "sendrecv", False, "sendrecv"),
        ("a=sendonly", "recvonly", True, "recvonly"),
        ("a=inactive", "inactive", True, "inactive"),
        ("a=recvonly", "sendonly", False, "sendonly"),
        ("c=IN IP4 0.0.0.0", "recvonly", True, "recvonly"),
    ],
)
def test_hold_is_seen_and_answered(line: str, ours: str, held: bool, said: str) -> None:
    offered = sdp.offer(sdp.LocalMedia("192.0.2.1", 4000)).replace("a=sendrecv", line)
    text, agreed = sdp.answer(offered, LOCAL)
    assert (agreed.direction, agreed.held) == (ours, held)
    assert text.endswith(f"a={said}\r\n")


def test_direction_of_our_own_wish_counts_too() -> None:
    text, agreed = sdp.answer(sdp.offer(LOCAL), replace(LOCAL, direction=sdp.Direction.SENDONLY))
    assert agreed.direction == "sendonly"
    assert text.endswith("a=sendonly\r\n")


@pytest.mark.parametrize(
    "text",
    ["", "v=0", "v=0\r\nm=audio x RTP/AVP 0", "v=0\r\nc=IN\r\n", "v=0\r\nm=audio 0 RTP/AVP 0",
     "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 18", "v=0\r\nm=video 4000 RTP/AVP 0",
     "v=0\r\nm=audio 4000 RTP/SAVP 0"],
)  # fmt: skip
def test_offers_that_cannot_be_met(text: str) -> None:
    with pytest.raises(sdp.SdpError):
        sdp.answer(text, LOCAL)


def test_the_version_rises_only_with_a_change() -> None:
    held = replace(LOCAL, direction=sdp.Direction.SENDONLY)
    same = sdp.same_session(LOCAL, replace(LOCAL, version=77))
    assert same == LOCAL
    changed = sdp.same_session(LOCAL, held)
    assert (changed.version, changed.session_id) == (LOCAL.version + 1, LOCAL.session_id)


def test_addresses_of_both_families() -> None:
    text = sdp.offer(replace(LOCAL, address="2001:db8::1"))
    assert "c=IN IP6 2001:db8::1\r\n" in text
    assert sdp.answer(text, LOCAL)[1].address == "2001:db8::1"
