"""RFC 4475, the whole list: every valid message understood, every invalid one refused without harm."""

import re
from pathlib import Path

import pytest
from test_sip_wire import AT, stack

from centrala.protocols.sip import message as messages
from centrala.protocols.sip.events import InviteReceived, RegisterReceived
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.uri import parse_name_addr, parse_uri

pytestmark = pytest.mark.unit

DATA = Path(__file__).parent.parent / "data" / "sip" / "rfc4475.txt"


def corpus() -> dict[str, bytes]:
    """The messages by name, as bytes on the wire."""
    found: dict[str, bytes] = {}
    for block in re.split(r"^=== ", DATA.read_text(), flags=re.MULTILINE)[1:]:
        name, _, text = block.partition("\n")
        text = re.sub(r"\$\{R(\d+):(\w+)\}", lambda hit: hit[2] * int(hit[1]), text)
        raw = text.replace("\n", "\r\n").encode()
        raw = re.sub(rb"\\x([0-9a-f]{2})", lambda hit: bytes([int(hit[1], 16)]), raw)
        head, _, body = raw.partition(b"\r\n\r\n")
        found[name] = head.replace(b"${L}", str(len(body)).encode()) + b"\r\n\r\n" + body
    return found


MESSAGES = corpus()

# What a server that knows none of these dialogs does: the status of its answer; an event's class where the user is
# asked; None for a response that it takes in, or throws away, without a word.
TREATMENT: dict[str, int | type | None] = {
    "wsinv": 481,  # well-formed, with a To tag of a dialog that isn't ours
    "intmeth": 501,
    "esc01": InviteReceived,
    "escnull": RegisterReceived,
    "esc02": 501,  # methods don't escape: this is no REGISTER
    "lwsdisp": 200,
    "longreq": InviteReceived,
    "dblreq": RegisterReceived,
    "semiuri": 200,
    "transports": 200,
    "mpart01": 405,
    "unreason": None,
    "noreason": None,
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "scalarlg": None,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "baddate": InviteReceived,  # 3.1.2.12: who doesn't care for Date may ignore it
    "regbadct": 400,
    "badaspec": 400,
    "baddn": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "bigcode": None,
    "badbranch": 200,  # 3.2.1: matched as RFC 2543 would
    "insuf": 400,
    "unkscm": 416,
    "novelsc": 416,
    "unksm2": 404,
    "bext01": 420,
    "invut": 415,
    "regaut01": RegisterReceived,
    "multi01": 400,
    "mcl01": 400,
    "bcast": None,
    "zeromf": 200,  # 3.3.11: for an endpoint Max-Forwards doesn't matter
    "cparam01": RegisterReceived,
    "cparam02": RegisterReceived,
    "regescrt": RegisterReceived,
    "sdp01": 406,
    "inv2543": InviteReceived,
}


def test_the_list_is_whole() -> None:
    assert set(MESSAGES) == set(TREATMENT)
    assert len(MESSAGES) == 49


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("name", sorted(TREATMENT))
def test_treatment(name: str, transport: str) -> None:
    one = stack("192.0.2.2")
    one.receive(MESSAGES[name], Flow(transport, ("192.0.2.2", 5060), ("192.0.2.1", 5060), 3), AT)
    events = one.take_events()
    answers = [messages.parse(data) for _, data in one.take_outgoing()]
    expected = TREATMENT[name]
    statuses = [a.status for a in answers if a.status != 100]
    if isinstance(expected, type):
        assert [type(e) for e in events] == [expected]
        assert statuses == []
    else:
        assert statuses == ([] if expected is None else [expected])
        assert not [e for e in events if isinstance(e, InviteReceived | RegisterReceived)]
    for answer in answers:
        if name not in (
            "insuf",
            "badvers",
            "scalar02",
            "multi01",
            "badinv01",
            "quotbal",
            "baddn",
            "badaspec",
        ):
            assert messages.fault(answer) is None
            assert answer.all("via")[1:] == messages.parse(MESSAGES[name]).all("via")[1:]
    for at in (AT + 40, AT + 80):
        one.advance(at)
    assert len(one._tx.servers) == len(one._timers) == 0


def test_wsinv_is_read_whatever_its_white_space() -> None:
    read = messages.parse(MESSAGES["wsinv"])
    assert messages.fault(read) is None
    assert read.cseq == (9, "INVITE")
    assert read.number("max-forwards") == 68
    assert read.to.tag == "1918181833n"
    assert (read.from_.display, read.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert [messages.parse_via(v).host for v in read.all("via")] == [
        "192.0.2.2",
        "spindle.example.com",
        "192.168.255.111",
    ]
    assert [messages.parse_via(v).branch for v in read.all("via")] == [
        "390skdjuw",
        "z9hG4bK9ikj8",
        "z9hG4bK30239",
    ]
    contact = read.contact()
    assert contact is not None
    assert (contact.display, contact.param("q"), contact.param("secondparam")) == (
        'Quoted string ""',
        "0.33",
        "",
    )
    assert read.get("subject") == ""
    assert read.get("newfangledheader") == "newfangled value continued newfangled value"
    assert parse_uri(parse_name_addr(read.all("route")[0]).uri).loose
    assert read.body.endswith(b"a=rtpmap:31 LPC\r\n")


def test_escapes_are_decoded_once_and_only_where_they_mean_something() -> None:
    read = messages.parse(MESSAGES["esc01"])
    assert read.request_uri().user == "sips:user@example.com"
    assert parse_uri(read.to.uri).user == "user"
    contact = read.contact()
    assert contact is not None
    assert not parse_uri(contact.uri).loose
    assert parse_uri(messages.parse(MESSAGES["escnull"]).to.uri).user == "null-\0-null"
    assert messages.parse(MESSAGES["esc02"]).all("contact") == [
        "<sip:alias1@host1.example.com>",
        "<sip:alias3@host3.example.com>",
    ]


def test_the_strangest_uri_has_its_parts() -> None:
    uri = messages.parse(MESSAGES["intmeth"]).request_uri()
    assert uri.host == "example.com"
    assert uri.user.startswith("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
    assert messages.parse(MESSAGES["semiuri"]).request_uri().user == "user;par=u@example.net"
    assert messages.parse(MESSAGES["unreason"]).reason.startswith("= 2**3 * 5**2 но сто")
    assert messages.parse(MESSAGES["noreason"]).reason == ""


def test_contact_parameters_belong_where_they_stand() -> None:
    bare = messages.parse(MESSAGES["cparam01"]).contact()
    inside = messages.parse(MESSAGES["cparam02"]).contact()
    assert bare is not None
    assert inside is not None
    assert (bare.uri, bare.param("unknownparam")) == ("sip:+19725552222@gw1.example.net", "")
    assert (inside.uri, inside.param("unknownparam")) == (
        "sip:+19725552222@gw1.example.net;unknownparam",
        None,
    )
