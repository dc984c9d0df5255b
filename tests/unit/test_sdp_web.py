"""Session descriptions of browsers: offers as Chromium and Firefox write them, and our answers and offers."""

from dataclasses import replace

import pytest

from centrala.protocols.sip import sdp

pytestmark = pytest.mark.unit

PRINT = "sha-256 " + ":".join(["AB"] * 32)

# As written by Chromium through JsSIP, shortened in its lists of codecs.
CHROMIUM = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 2f3
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Xy7T
a=ice-pwd:0123456789abcdefghijklmn
a=ice-options:trickle
a=fingerprint:sha-256 ab:cd:00
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:2f3 aud
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtpmap:63 red/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:123 cname:x
""".replace("\n", "\r\n")

# Firefox: fingerprint and ICE options at session level.
FIREFOX = """v=0
o=mozilla...THIS_IS_SDPARTA-99.0 88 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 AB:CD:00
a=group:BUNDLE 0
a=ice-options:trickle
m=audio 54321 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 192.0.2.7
a=candidate:0 1 UDP 2122252543 192.0.2.7 54321 typ host
a=sendrecv
a=fmtp:101 0-15
a=ice-pwd:0123456789abcdef0123456789abcdef
a=ice-ufrag:d1e2f3a4
a=mid:0
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=setup:actpass
""".replace("\n", "\r\n")

LOCAL = sdp.LocalMedia(
    "192.0.2.1", 20000, web=sdp.LocalWeb("ours", "password of 22 characters", PRINT), session_id=7
)


@pytest.mark.parametrize(("offer", "ufrag", "events"), [(CHROMIUM, "Xy7T", 126), (FIREFOX, "d1e2f3a4", 101)])
def test_an_offer_of_a_browser_is_answered(offer: str, ufrag: str, events: int) -> None:
    assert sdp.is_web(offer)
    text, agreed = sdp.answer(offer, LOCAL)
    assert agreed.ufrag == ufrag
    assert agreed.fingerprint == "sha-256 AB:CD:00"
    assert agreed.events_payload == events
    assert agreed.codec == "PCMU"
    assert not agreed.held
    assert agreed.direction is sdp.Direction.SENDRECV
    ours = sdp.parse(text)
    media = ours.media[0]
    assert media.protocol == "UDP/TLS/RTP/SAVPF"
    assert ("ice-lite", "") in ours.attributes
    assert ("group", "BUNDLE 0") in ours.attributes
    assert media.attribute("setup") == "passive"
    assert media.attribute("ice-ufrag") == "ours"
    assert media.attribute("ice-pwd") == "password of 22 characters"
    assert media.attribute("fingerprint") == PRINT
    assert media.attribute("mid") == "0"
    assert media.attribute("candidate") == "1 1 UDP 2130706431 192.0.2.1 20000 typ host"
    assert media.rtcp_mux
    assert [f.payload for f in media.formats] == [0, 8, events]


def test_our_offer_is_agreed_on_by_the_answer() -> None:
    offered = sdp.offer(LOCAL)
    assert sdp.is_web(offered)
    answered = CHROMIUM.replace("actpass", "active")
    agreed = sdp.accept(answered, LOCAL)
    assert agreed.ufrag == "Xy7T"
    assert agreed.mid == "0"
    with pytest.raises(sdp.SdpError):
        sdp.accept(answered.replace("a=setup:active", "a=setup:passive"), LOCAL)


def test_hold_is_by_direction_and_an_address_of_zeros_is_none() -> None:
    _, agreed = sdp.answer(CHROMIUM.replace("a=sendrecv", "a=sendonly"), LOCAL)
    assert agreed.direction is sdp.Direction.RECVONLY
    assert agreed.held
    assert not sdp.answer(CHROMIUM, LOCAL)[1].held


@pytest.mark.parametrize(
    "change",
    [
        ("a=fingerprint:sha-256 ab:cd:00\r\n", ""),
        ("a=fingerprint:sha-256 ", "a=fingerprint:md5 "),
        ("a=ice-ufrag:Xy7T\r\n", ""),
        ("a=rtcp-mux\r\n", ""),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=setup:actpass\r\n", ""),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    ],
)
def test_what_is_not_safe_is_no_offer(change: tuple[str, str]) -> None:
    with pytest.raises(sdp.SdpError):
        sdp.answer(CHROMIUM.replace(*change), LOCAL)


def test_a_browsers_offer_is_nothing_to_a_plain_leg() -> None:
    with pytest.raises(sdp.SdpError):
        sdp.answer(CHROMIUM, replace(LOCAL, web=None))
    plain = sdp.offer(replace(LOCAL, web=None))
    assert "ice" not in plain
    assert "setup" not in plain
    assert not sdp.is_web(plain)


def test_opus_where_it_is_wanted() -> None:
    local = replace(LOCAL, codecs=("OPUS", "PCMA", "PCMU"))
    text, agreed = sdp.answer(CHROMIUM, local)
    assert agreed.codec == "OPUS"
    assert agreed.payloads == {"OPUS": 111, "PCMU": 0, "PCMA": 8}
    assert agreed.events_payload == 110  # of the same clock
    assert "a=rtpmap:111 opus/48000/2\r\n" in text
    assert "a=rtpmap:110 telephone-event/48000\r\n" in text
    offered = sdp.offer(local)
    assert "m=audio 20000 UDP/TLS/RTP/SAVPF 96 8 0 101\r\n" in offered
    assert "a=rtpmap:96 opus/48000/2\r\n" in offered
    assert sdp.accept(CHROMIUM.replace("actpass", "active"), local).codec == "OPUS"
    assert sdp.answer(CHROMIUM, LOCAL)[1].codec == "PCMU"
