"""DTLS through memory: records cut into datagrams, a whole handshake, fingerprints."""

import socket
import time

import pytest

from centrala.media import secure
from centrala.media.secure import Handshakes, Identity, Secure, datagrams
from centrala.protocols import stun

pytestmark = pytest.mark.unit


def record(size: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2, "big") + bytes(size)


def test_records_are_cut_into_datagrams_of_whole_records() -> None:
    small, big = record(300), record(1100)
    assert datagrams(b"") == []
    assert datagrams(small * 3) == [small * 3]
    assert datagrams(small + big + small) == [small, big, small]
    assert datagrams(record(2000)) == [record(2000)]  # one that is too long can't be cut
    assert datagrams(small + big[:500]) == [small]  # half a record is nothing
    assert b"".join(datagrams(small * 20)) == small * 20
    assert all(len(one) <= 1200 for one in datagrams(small * 20))


def test_fingerprints_as_in_session_descriptions() -> None:
    one, two = Identity(), Identity()
    assert one.fingerprint != two.fingerprint
    algorithm, _, digest = one.fingerprint.partition(" ")
    assert algorithm == "sha-256"
    assert len(digest.split(":")) == 32
    assert digest == digest.upper()


def made() -> tuple[Secure, Handshakes]:
    handshakes = Handshakes()
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return Secure(one, Identity(), handshakes), handshakes


def test_dtls_from_a_source_without_a_good_check_is_left_be() -> None:
    mine, handshakes = made()
    mine.want(("abcd", "a password of 22 characters"), "", "", 0.0)
    mine.receive(record(100), ("127.0.0.1", 9), 0.0)
    assert mine._handshake is None
    assert handshakes._thread is None
    mine.socket.close()


def test_rubbish_in_a_handshake_ends_it_with_a_sentence_and_no_exception() -> None:
    mine, handshakes = made()
    now = time.monotonic()
    mine.want(("abcd", "a password of 22 characters"), "", "sha-256 AB", now)
    mine._sources[("127.0.0.1", 9)] = None
    for first in (20, 22, 23, 63):
        mine.receive(bytes([first]) + b"\xfe\xfd" + bytes(200), ("127.0.0.1", 9), now)
    assert mine.look(now) is None
    assert "firewall" in (mine.look(now + 60) or "")
    assert mine.look(now + 61) is None  # said once
    handshakes.close()
    mine.socket.close()


def test_other_credentials_are_added_and_the_oldest_forgotten() -> None:
    mine, _ = made()
    for k in range(6):
        mine.want((f"abc{k}", "a password of 22 characters"), "", "", 0.0)
    assert list(mine._passwords) == ["abc2", "abc3", "abc4", "abc5"]
    mine.socket.close()


def test_the_pinned_binding_takes_pointers() -> None:
    """What is used below pylibsrtp's public API."""
    assert secure.ffi.typeof(secure.protect) == secure.ffi.typeof(secure.unprotect)
    assert "int *" in str(secure.ffi.typeof(secure.protect))


def test_who_sends_no_checks_is_sent_nothing_more_until_the_next_one() -> None:
    mine, _ = made()
    ice = ("abcd", "a password of 22 characters")
    mine.want(ice, "peer", "", 0.0)
    attributes = ((int(stun.Name.USERNAME), b"abcd:peer"), (int(stun.Name.USE_CANDIDATE), b""))
    check = stun.pack(stun.Message(stun.Method.REQUEST, bytes(12), attributes), ice[1].encode())
    there = mine.socket.getsockname()
    mine.receive(check, there, 100.0)
    assert mine.destination == there
    assert not mine.expire(129.0)
    assert mine.expire(131.0)
    assert mine.destination is None
    assert not mine.expire(132.0)
    mine.receive(check, there, 140.0)
    assert mine.destination == there
    mine.socket.close()
