"""A browser's end of a call as a socket: ICE checks, DTLS as the client, SRTP. For tests and load, not for people.

line = BrowserLine()
line.connect(("127.0.0.1", 20000), ufrag, password)    # what the server's SDP said
line.sendto(rtp, line.server)                           # plain RTP in and out; line.fingerprint is for our SDP
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator

from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

from centrala.media.secure import Identity, datagrams
from centrala.protocols import stun
from centrala.protocols.stun import Message, Method, Name

Address = tuple[str, int]

_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}


class BrowserLine:
    """One WebRTC transport. Blocks; every wait has an end."""

    def __init__(
        self,
        profiles: bytes = b"SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80",
        address: str = "127.0.0.1",
    ) -> None:
        self._address = address
        self.identity = Identity()
        self.fingerprint = self.identity.fingerprint
        self.ufrag = os.urandom(3).hex()
        self.profiles = profiles
        self.profile = b""
        """What was agreed on."""
        self.server: Address = ("", 0)
        self.server_fingerprint = ""
        self.socket = self._bound()
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self._credentials = ("", "")

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.bind((self._address, 0))
        return one

    def connect(self, server: Address, ufrag: str, password: str, within: float = 10.0) -> None:
        """Check, nominate, shake hands. Raises TimeoutError, SSL.Error."""
        self.check(server, ufrag, password, within=within)
        self.shake_hands(within)

    def check(
        self, server: Address, ufrag: str, password: str, *, nominate: bool = True, within: float = 5.0
    ) -> None:
        """A connectivity check until it is answered (RFC 8445, 7.2). Raises TimeoutError, PermissionError."""
        self.server, self._credentials = server, (ufrag, password)
        until = time.monotonic() + within
        while time.monotonic() < until:
            transaction = os.urandom(12)
            self.socket.sendto(self._check(transaction, nominate), server)
            again = time.monotonic() + 0.25
            while (rest := again - time.monotonic()) > 0:
                self.socket.settimeout(rest)
                try:
                    data = self.socket.recv(2048)
                except TimeoutError:
                    break
                answer = stun.parse(data)
                if answer is None or answer.transaction != transaction:
                    continue
                if answer.kind != Method.SUCCESS or not answer.proves(password.encode()):
                    raise PermissionError(f"the check was answered with {answer.kind:#06x}")
                return
        raise TimeoutError("no answer to the connectivity check")

    def _check(self, transaction: bytes, nominate: bool) -> bytes:
        ufrag, password = self._credentials
        attributes = [
            (int(Name.USERNAME), f"{ufrag}:{self.ufrag}".encode()),
            (int(Name.ICE_CONTROLLING), bytes(8)),
            (int(Name.PRIORITY), (1853693695).to_bytes(4, "big")),
        ]
        if nominate:
            attributes.append((int(Name.USE_CANDIDATE), b""))
        return stun.pack(Message(Method.REQUEST, transaction, tuple(attributes)), password.encode())

    def keep_alive(self) -> None:
        """A check whose answer nobody waits for (consent, RFC 7675)."""
        self.socket.sendto(self._check(os.urandom(12), True), self.server)

    def shake_hands(self, within: float = 10.0) -> None:
        """DTLS as the client, and the keys from it (RFC 5764). Raises TimeoutError, SSL.Error."""
        context = self.identity._context
        context.set_tlsext_use_srtp(self.profiles)
        dtls = SSL.Connection(context, None)
        dtls.set_ciphertext_mtu(1200)
        dtls.set_connect_state()
        until = time.monotonic() + within
        while True:
            try:
                dtls.do_handshake()
                done = True
            except SSL.WantReadError:
                done = False
            try:
                for one in datagrams(dtls.bio_read(65536)):
                    self.socket.sendto(one, self.server)
            except SSL.WantReadError:
                pass
            if done:
                break
            self.socket.settimeout(0.3)
            try:
                data = self.socket.recv(4096)
                if 20 <= data[0] < 64:
                    dtls.bio_write(data)
            except TimeoutError:
                if time.monotonic() > until:
                    raise
                dtls.DTLSv1_handle_timeout()
        self.profile = dtls.get_selected_srtp_profile()
        number, key, salt = _PROFILES[self.profile]
        raw = dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        ours, theirs = raw[:key] + raw[2 * key : 2 * key + salt], raw[key : 2 * key] + raw[2 * key + salt :]
        self._inbound = Session(Policy(theirs, Policy.SSRC_ANY_INBOUND, srtp_profile=number))
        self._outbound = Session(Policy(ours, Policy.SSRC_ANY_OUTBOUND, srtp_profile=number))

    def move(self) -> None:
        """Another network: the same association from another port."""
        old, self.socket = self.socket, self._bound()
        old.close()

    def seal(self, packet: bytes) -> bytes:
        assert self._outbound is not None
        return self._outbound.protect(packet)

    # --- as a socket with plain RTP ---

    def sendto(self, packet: bytes, server: Address) -> None:
        self.socket.sendto(self.seal(packet), server)

    def recvfrom(self, size: int) -> tuple[bytes, Address]:
        """The next RTP packet. Raises TimeoutError."""
        assert self._inbound is not None
        while True:
            data, source = self.socket.recvfrom(size)
            if data[0] >> 6 == 2 and not 192 <= data[1] < 224:
                try:
                    return self._inbound.unprotect(data), source
                except Error:
                    continue

    def converse(self, packets: Iterable[bytes], every: float = 0.02) -> Iterator[bytes]:
        """Send a packet each `every` seconds, as a telephone does; gives what comes in between."""
        due = time.monotonic()
        for packet in packets:
            self.sendto(packet, self.server)
            due += every
            while (left := due - time.monotonic()) > 0:
                self.settimeout(left)
                try:
                    yield self.recvfrom(2048)[0]
                except TimeoutError:
                    break

    def settimeout(self, seconds: float | None) -> None:
        self.socket.settimeout(seconds)

    def getsockname(self) -> Address:
        host, port = self.socket.getsockname()[:2]
        return host, port

    def close(self) -> None:
        self.socket.close()
