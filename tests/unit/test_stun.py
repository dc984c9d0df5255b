"""STUN against the test vectors of RFC 5769, and an ICE-lite agent's answers."""

import random

import pytest

from centrala.protocols import stun
from centrala.protocols.stun import Message, Method, Name

pytestmark = pytest.mark.unit

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")

# RFC 5769, 2.1: a request with long paddings of spaces.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
# RFC 5769, 2.2: its response over IPv4.
RESPONSE_4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
# RFC 5769, 2.3: and over IPv6.
RESPONSE_6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


def test_request_of_the_rfc() -> None:
    message = stun.parse(REQUEST)
    assert message is not None
    assert message.kind == Method.REQUEST
    assert message.transaction == TRANSACTION
    assert message.get(Name.USERNAME) == b"evtj:h6vY"
    assert message.get(Name.SOFTWARE) == b"STUN test client"
    assert message.fingerprint is True
    assert message.proves(PASSWORD)
    assert not message.proves(PASSWORD + b"x")


@pytest.mark.parametrize(
    ("data", "address"),
    [(RESPONSE_4, ("192.0.2.1", 32853)), (RESPONSE_6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))],
)
def test_responses_of_the_rfc(data: bytes, address: tuple[str, int]) -> None:
    message = stun.parse(data)
    assert message is not None
    assert message.kind == Method.SUCCESS
    assert message.proves(PASSWORD)
    assert message.fingerprint is True
    value = message.get(Name.XOR_MAPPED_ADDRESS)
    assert value is not None
    assert stun.read_xor_address(value, message.transaction) == address
    assert stun.xor_address(*address, message.transaction) == value


def test_what_is_packed_has_the_integrity_of_the_rfc() -> None:
    """The vector pads with spaces, we with zeros; the mapped address alone has no padding."""
    ours = stun.pack(Message(Method.SUCCESS, TRANSACTION, ((Name.SOFTWARE, b"four"),)), PASSWORD)
    message = stun.parse(ours)
    assert message is not None
    assert message.proves(PASSWORD)
    assert message.fingerprint is True
    assert message.get(Name.SOFTWARE) == b"four"


def test_every_changed_byte_of_the_vector_is_noticed() -> None:
    for at in range(len(REQUEST)):
        changed = bytearray(REQUEST)
        changed[at] ^= 1
        message = stun.parse(bytes(changed))
        assert message is None or message.fingerprint is not True or not message.proves(PASSWORD)


def test_rubbish_is_no_message_and_raises_nothing() -> None:
    chance = random.Random(5769)
    for _ in range(20_000):
        data = bytearray(REQUEST)
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        stun.parse(bytes(data[: chance.randrange(len(data) + 1)]))
        stun.answer_check(bytes(data), ("127.0.0.1", 1), {"evtj": PASSWORD.decode()})


def check(*more: tuple[int, bytes], username: bytes = b"ours:theirs", password: bytes = b"secret") -> bytes:
    return stun.pack(Message(Method.REQUEST, bytes(12), ((Name.USERNAME, username), *more)), password)


CONTROLLING = (int(Name.ICE_CONTROLLING), bytes(8))
PASSWORDS = {"ours": "secret", "before": "old secret"}


def test_a_good_check_is_answered_with_where_it_came_from() -> None:
    found = stun.answer_check(check(CONTROLLING), ("192.0.2.7", 4000), PASSWORDS)
    assert found.good
    assert not found.nominated
    assert found.peer == "theirs"
    answer = stun.parse(found.answer)
    assert answer is not None
    assert answer.proves(b"secret")
    assert stun.read_xor_address(answer.get(Name.XOR_MAPPED_ADDRESS) or b"", bytes(12)) == ("192.0.2.7", 4000)


def test_nomination_and_the_credentials_before_a_restart() -> None:
    data = check(CONTROLLING, (int(Name.USE_CANDIDATE), b""), username=b"before:new", password=b"old secret")
    found = stun.answer_check(data, ("192.0.2.7", 4000), PASSWORDS)
    assert found.good
    assert found.nominated
    assert found.peer == "new"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (check(password=b"guess"), 401),
        (check(username=b"nobody:x"), 401),
        (check(username=b""), 400),
        (stun.pack(Message(Method.REQUEST, bytes(12), ((Name.USERNAME, b"ours:x"),))), 400),
        (check((0x0002, b"abcd")), 420),
        (check((int(Name.ICE_CONTROLLED), bytes(8))), 487),
    ],
)
def test_what_is_refused(data: bytes, code: int) -> None:
    found = stun.answer_check(data, ("192.0.2.7", 4000), PASSWORDS)
    assert not found.good
    answer = stun.parse(found.answer)
    assert answer is not None
    value = answer.get(Name.ERROR_CODE)
    assert value is not None
    assert value[2] * 100 + value[3] == code


def test_answers_and_indications_are_not_answered() -> None:
    for data in (RESPONSE_4, stun.pack(Message(Method.INDICATION, bytes(12))), b"", b"\x00" * 19):
        assert stun.answer_check(data, ("192.0.2.7", 4000), PASSWORDS).answer == b""
