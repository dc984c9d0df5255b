"""STUN messages as values (RFC 8489), and what an ICE-lite agent answers to a check (RFC 8445, 2.5 and 7.3)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

COOKIE = 0x2112A442
HEADER = 20
MAX_SIZE = 1500
"""Bytes. A longer datagram is no check of anybody's."""

_head = struct.Struct("!HHI12s")
_attribute = struct.Struct("!HH")
_FINGERPRINT_XOR = 0x5354554E


class Method(IntEnum):
    """Type field: class and method (RFC 8489, 5)."""

    REQUEST = 0x0001
    INDICATION = 0x0011
    SUCCESS = 0x0101
    ERROR = 0x0111


class Name(IntEnum):
    """Attributes that we read or write (RFC 8489, 18.3; RFC 8445, 16.1)."""

    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    XOR_MAPPED_ADDRESS = 0x0020
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    SOFTWARE = 0x8022
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Attributes stand in the order of the wire, without MESSAGE-INTEGRITY and FINGERPRINT."""

    kind: int
    """One of `Method`, or another type."""
    transaction: bytes
    """12 bytes."""
    attributes: tuple[tuple[int, bytes], ...] = ()
    raw: bytes = b""
    """As it came; b"" for one of our own."""
    integrity_at: int = -1
    """Where MESSAGE-INTEGRITY stands in `raw`; -1: there is none."""
    fingerprint: bool | None = None
    """Whether the FINGERPRINT is right; None: there is none."""

    def get(self, name: int) -> bytes | None:
        """Of several with one name the first counts (RFC 8489, 14)."""
        for key, value in self.attributes:
            if key == name:
                return value
        return None

    def proves(self, password: bytes) -> bool:
        """Whether the sender knows the password (short-term credentials, RFC 8489, 9.1)."""
        at = self.integrity_at
        if at < 0:
            return False
        return hmac.compare_digest(_integrity(self.raw[:at], password), self.raw[at + 4 : at + 24])


def is_stun(data: bytes | memoryview) -> bool:
    """Whether a datagram is STUN rather than DTLS or (S)RTP (RFC 7983, 7)."""
    return len(data) >= HEADER and data[0] < 4 and int.from_bytes(data[4:8], "big") == COOKIE


def parse(data: bytes) -> Message | None:
    """None for what isn't a well-formed message. Never raises."""
    if not is_stun(data) or len(data) > MAX_SIZE:
        return None
    kind, length, _, transaction = _head.unpack_from(data)
    if length % 4 or HEADER + length != len(data):
        return None
    attributes: list[tuple[int, bytes]] = []
    integrity_at, fingerprint, at = -1, None, HEADER
    while at < len(data):
        if at + 4 > len(data):
            return None
        name, size = _attribute.unpack_from(data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) != size:
            return None
        if name == Name.FINGERPRINT:
            # RFC 8489, 14.7: it is the last one
            if size != 4 or at + 8 != len(data):
                return None
            fingerprint = int.from_bytes(value, "big") == _checksum(data[:at])
        elif integrity_at >= 0:
            pass  # RFC 8489, 14.5: what follows the integrity, but for the fingerprint, doesn't count
        elif name == Name.MESSAGE_INTEGRITY:
            if size != 20:
                return None
            integrity_at = at
        else:
            attributes.append((name, value))
        at += 4 + size + -size % 4
    if at != len(data):
        return None
    return Message(kind, transaction, tuple(attributes), data, integrity_at, fingerprint)


def pack(message: Message, password: bytes | None = None, *, fingerprint: bool = True) -> bytes:
    """The bytes, signed with `password` if there is one."""
    body = b"".join(
        _attribute.pack(name, len(value)) + value + bytes(-len(value) % 4)
        for name, value in message.attributes
    )
    data = _head.pack(message.kind, len(body), COOKIE, message.transaction) + body
    if password is not None:
        # The length counts the integrity itself (RFC 8489, 14.5).
        signature = _integrity(data, password)
        data = _with_length(data, 24) + _attribute.pack(Name.MESSAGE_INTEGRITY, 20) + signature
    if fingerprint:
        check = _checksum(data)
        data = _with_length(data, 8) + _attribute.pack(Name.FINGERPRINT, 4) + check.to_bytes(4, "big")
    return data


def _with_length(data: bytes, more: int) -> bytes:
    """The same with the length that it has when `more` bytes are added."""
    return data[:2] + (len(data) - HEADER + more).to_bytes(2, "big") + data[4:]


def _integrity(before: bytes, password: bytes) -> bytes:
    return hmac.digest(password, _with_length(before, 24), hashlib.sha1)


def _checksum(before: bytes) -> int:
    return zlib.crc32(_with_length(before, 8)) ^ _FINGERPRINT_XOR


def xor_address(host: str, port: int, transaction: bytes) -> bytes:
    """Value of XOR-MAPPED-ADDRESS (RFC 8489, 14.2). ValueError if `host` is no IP address."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mask = COOKIE.to_bytes(4, "big") + transaction
    hidden = bytes(one ^ two for one, two in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    return struct.pack("!BBH", 0, family, port ^ (COOKIE >> 16)) + hidden


def read_xor_address(value: bytes, transaction: bytes) -> tuple[str, int] | None:
    """Host and port of an XOR-MAPPED-ADDRESS; None if it isn't one."""
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        return None
    mask = COOKIE.to_bytes(4, "big") + transaction
    packed = bytes(one ^ two for one, two in zip(value[4:], mask, strict=False))
    return str(ipaddress.ip_address(packed)), int.from_bytes(value[2:4], "big") ^ (COOKIE >> 16)


@dataclass(frozen=True, slots=True)
class Check:
    """What a peer's connectivity check came to."""

    answer: bytes
    """To be sent back to where it came from; b"": nothing."""
    good: bool = False
    """The peer knows our password: it may be spoken to there."""
    nominated: bool = False
    """The peer, which controls, wants the media to go over this pair (RFC 8445, 7.3.1.5)."""
    peer: str = ""
    """The peer's own ufrag: it tells the generation of the check, after an ICE restart."""


_NOTHING = Check(b"")
_UNDERSTOOD = frozenset(int(name) for name in Name)


def answer_check(data: bytes, source: tuple[str, int], passwords: dict[str, str]) -> Check:
    """The answer of an ICE-lite agent, which never sends checks itself.

    `passwords`: of our ufrags, the present one and those before an ICE restart.
    """
    message = parse(data)
    if message is None or message.kind != Method.REQUEST or message.fingerprint is False:
        return _NOTHING
    ours, _, peer = (message.get(Name.USERNAME) or b"").decode("utf-8", "replace").partition(":")
    if not ours or message.integrity_at < 0:
        return _error(message, 400, "Bad Request", None)
    password = passwords.get(ours)
    if password is None or not message.proves(password.encode()):
        return _error(message, 401, "Unauthorized", None)
    key = password.encode()
    unknown = [name for name, _ in message.attributes if name < 0x8000 and name not in _UNDERSTOOD]
    if unknown:
        extra = (int(Name.UNKNOWN_ATTRIBUTES), b"".join(name.to_bytes(2, "big") for name in unknown))
        return _error(message, 420, "Unknown Attribute", key, extra)
    if message.get(Name.ICE_CONTROLLED) is not None:
        # RFC 8445, 7.3.1.1: we are lite, so the peer controls.
        return _error(message, 487, "Role Conflict", key)
    mapped = xor_address(*source, message.transaction)
    answer = Message(Method.SUCCESS, message.transaction, ((Name.XOR_MAPPED_ADDRESS, mapped),))
    nominated = message.get(Name.USE_CANDIDATE) is not None
    return Check(pack(answer, key), True, nominated, peer)


def _error(message: Message, code: int, reason: str, key: bytes | None, *more: tuple[int, bytes]) -> Check:
    value = struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()
    attributes = ((int(Name.ERROR_CODE), value), *more)
    return Check(pack(Message(Method.ERROR, message.transaction, attributes), key))
