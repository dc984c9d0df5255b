"""What a browser's leg has beside the others': ICE-lite, DTLS and SRTP, all on the leg's one UDP port (RFC 8835).

    a datagram on the port → STUN: answered, and it tells where to send
                           → DTLS: to the thread of handshakes; keys come back
                           → SRTP: opened in place in its row of the matrix
                           → SRTCP: opened, to the reports

The peer's certificate must have the fingerprint that signalling named; until that is known, keys are held back.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session
from pylibsrtp import _binding as srtp  # the pinned version's: in place, without a copy of each packet

from centrala.protocols import stun

log = logging.getLogger("centrala.media")

Address = tuple[str, int]

TRAILER = 16
"""Most bytes that SRTP adds to a packet (RFC 7714: the tag of AES-GCM)."""
_MTU = 1200
_KNOWN_PASSWORDS = 4
"""Our own credentials that are still good: after an ICE restart some browsers go on with those before."""
_KNOWN_SOURCES = 8
_RETRY_SECONDS = 0.3
_GIVE_UP_SECONDS = 20.0
_CONSENT_SECONDS = 30.0
"""Without a check of the peer's, after which it is sent nothing more (RFC 7675, 5.1)."""

_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12, 16),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14, 10),
}
"""Best liked first: libsrtp's number, length of key and salt, bytes added to a packet (RFC 5764, 4.1.2; RFC 7714)."""
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}

unprotect = srtp.lib.srtp_unprotect
protect = srtp.lib.srtp_protect
ffi = srtp.ffi


class Identity:
    """Our certificate, one for the life of a process."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "centrala")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = fingerprint(certificate, "sha-256")
        """As in SDP: `sha-256 AB:CD:…` (RFC 8122, 5)."""
        self._context = SSL.Context(SSL.DTLS_METHOD)
        self._context.use_certificate(certificate)
        self._context.use_privatekey(key)
        self._context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
        # Anybody's certificate will do: it is its fingerprint that counts.
        self._context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self._context.set_cipher_list(
            b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"
        )
        self._context.set_tlsext_use_srtp(b":".join(_PROFILES))

    def connection(self) -> SSL.Connection:
        """A DTLS server's end, that speaks through memory."""
        made = SSL.Connection(self._context, None)
        made.set_ciphertext_mtu(_MTU)
        made.set_accept_state()
        return made


def fingerprint(certificate: x509.Certificate, algorithm: str) -> str:
    """As in SDP. KeyError for an algorithm that isn't safe or not known."""
    digest = certificate.fingerprint(_HASHES[algorithm]())
    return f"{algorithm} {digest.hex(':').upper()}"


@dataclass(frozen=True, slots=True)
class Keys:
    """What a handshake came to."""

    certificate: x509.Certificate
    """The peer's."""
    profile: bytes
    theirs: bytes
    """Master key and salt of what comes in."""
    ours: bytes


class Handshake:
    """One DTLS association as the thread sees it."""

    def __init__(self, owner: Secure, connection: SSL.Connection) -> None:
        self.owner = owner
        self.done = False
        self._connection = connection
        self._source: Address | None = None

    def receive(self, data: bytes, source: Address) -> None:
        """A datagram of the peer's."""
        self._source = source
        with contextlib.suppress(SSL.Error):
            self._connection.bio_write(data)
        if self.done:
            # A repeat of its last flight: ours was lost. Or it says good-bye.
            with contextlib.suppress(SSL.Error):
                self._connection.recv(2048)
        else:
            self._step()
        self._flush()

    def retry(self) -> None:
        """Send our last flight again if it is time (RFC 6347, 4.2.4)."""
        if not self.done and self._source is not None:
            with contextlib.suppress(SSL.Error):
                self._connection.DTLSv1_handle_timeout()
            self._flush()

    def _step(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        self.done = True
        profile = self._connection.get_selected_srtp_profile()
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if profile not in _PROFILES or certificate is None:
            self.owner.results.append((self, "the peer agreed on no encryption of the sound"))
            return
        _, key, salt, _ = _PROFILES[profile]
        # RFC 5764, 4.2: client's key, server's key, client's salt, server's salt
        raw = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        theirs = raw[:key] + raw[2 * key : 2 * key + salt]
        ours = raw[key : 2 * key] + raw[2 * key + salt :]
        self.owner.results.append((self, Keys(certificate, profile, theirs, ours)))

    def _flush(self) -> None:
        try:
            data = self._connection.bio_read(65536)
        except SSL.Error:
            return
        assert self._source is not None
        for datagram in datagrams(data):
            with contextlib.suppress(OSError):
                self.owner.socket.sendto(datagram, self._source)


def datagrams(data: bytes) -> list[bytes]:
    """DTLS records, which memory holds as one stream, as datagrams of whole records (RFC 6347, 4.1.1)."""
    found: list[bytes] = []
    start = end = 0
    while end + 13 <= len(data):
        after = end + 13 + int.from_bytes(data[end + 11 : end + 13], "big")
        if after > len(data):
            break
        if after - start > _MTU and end > start:
            found.append(data[start:end])
            start = end
        end = after
    if end > start:
        found.append(data[start:end])
    return found


class Handshakes:
    """The thread in which all handshakes are done: some milliseconds each, too many for a tick."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Handshake, bytes | None, Address] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def receive(self, handshake: Handshake, data: bytes | None, source: Address) -> None:
        """None: see whether something must be sent again."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="dtls", daemon=True)
            self._thread.start()
        self._jobs.put((handshake, data, source))

    def close(self) -> None:
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(2.0)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            handshake, data, source = job
            try:
                if data is None:
                    handshake.retry()
                else:
                    handshake.receive(data, source)
            except SSL.Error as problem:
                handshake.done = True
                handshake.owner.results.append((handshake, f"the DTLS handshake failed: {problem}"))
            except Exception as problem:
                handshake.done = True
                log.exception("a DTLS handshake went wrong")
                handshake.owner.results.append((handshake, f"the DTLS handshake failed: {problem}"))


@dataclass(slots=True)
class Secure:
    """ICE, DTLS and SRTP of one leg. `destination` is where it sends; it hears authenticated packets from anywhere."""

    socket: socket.socket
    identity: Identity
    handshakes: Handshakes
    destination: Address | None = None
    moved: bool = False
    """Something that senders must know has changed: `destination` or keys."""
    wide: bool = True
    """Long datagrams may come: a handshake is under way."""
    inbound: Any = None
    """libsrtp's sessions; None: no keys yet."""
    outbound: Any = None
    added: int = 0
    """Bytes that SRTP adds to a packet."""
    results: deque[tuple[Handshake, Keys | str]] = field(default_factory=deque)
    _passwords: dict[str, str] = field(default_factory=dict)
    _peer_ufrag: str = ""
    _fingerprint: str = ""
    _nominated: bool = False
    _sources: dict[Address, None] = field(default_factory=dict)
    """Where good checks came from, of late."""
    _handshake: Handshake | None = None
    _keys: Keys | None = None
    """Held back, or in use."""
    _sessions: tuple[Session, Session] | None = None
    _since: float = 0.0
    _checked_at: float = 0.0
    _retry_at: float = 0.0
    _said: bool = False
    """That it can't be: once for each handshake."""

    def want(self, ice: tuple[str, str], peer_ufrag: str, wanted: str, now: float) -> None:
        """What signalling has come to: our credentials, the peer's ufrag and certificate; "": not known yet."""
        ufrag, password = ice
        if self._passwords.get(ufrag) != password:
            self._passwords[ufrag] = password
            while len(self._passwords) > _KNOWN_PASSWORDS:
                del self._passwords[next(iter(self._passwords))]
        if peer_ufrag != self._peer_ufrag:
            self._peer_ufrag = peer_ufrag
            self._nominated = False
        if wanted and self._fingerprint and wanted != self._fingerprint:
            self._begin_anew()
        if wanted and wanted != self._fingerprint:
            self._since = now
        self._fingerprint = wanted or self._fingerprint

    def _begin_anew(self) -> None:
        """Another certificate is another peer (a page that was loaded again): what was agreed with the old is void."""
        self._handshake = self._keys = self._sessions = self.inbound = self.outbound = None
        self._said, self._nominated, self.moved, self.wide = False, False, True, True
        self.destination = None
        self._sources.clear()

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """STUN or DTLS (RFC 7983); anything else is left be."""
        if data[0] < 4:
            self._checked(data, source, now)
        elif 20 <= data[0] < 64 and source in self._sources:
            # Only those who know our password may make us work.
            if self._handshake is None:
                self._handshake = Handshake(self, self.identity.connection())
                self._since = now
            self._retry_at = now + _RETRY_SECONDS
            self.handshakes.receive(self._handshake, data, source)

    def _checked(self, data: bytes, source: Address, now: float) -> None:
        check = stun.answer_check(data, source, self._passwords)
        if check.answer:
            with contextlib.suppress(OSError):
                self.socket.sendto(check.answer, source)
        if not check.good:
            return
        self._checked_at = now
        self._sources.pop(source, None)
        self._sources[source] = None
        while len(self._sources) > _KNOWN_SOURCES:
            del self._sources[next(iter(self._sources))]
        present = not self._peer_ufrag or check.peer == self._peer_ufrag
        if present and (check.nominated or not self._nominated) and source != self.destination:
            self.destination, self.moved = source, True
        if present and check.nominated:
            self._nominated = True

    def expire(self, now: float) -> bool:
        """Whether the peer's consent has run out just now. Its next check gives it again."""
        if self.destination is None or now - self._checked_at <= _CONSENT_SECONDS:
            return False
        self.destination, self._nominated = None, False
        return True

    def look(self, now: float) -> str | None:
        """Take in what the handshakes came to. "" when the sound has become secure; a sentence when it can't be."""
        while self.results:
            handshake, result = self.results.popleft()
            if handshake is not self._handshake:
                continue
            if isinstance(result, str):
                self._handshake = None
                return self._fail(result)
            self._keys = result
        if self._keys is not None and self.inbound is None and self._fingerprint:
            return self._use(self._keys)
        handshake_now = self._handshake
        if handshake_now is not None and not handshake_now.done and now >= self._retry_at:
            self._retry_at = now + _RETRY_SECONDS
            self.handshakes.receive(handshake_now, None, ("", 0))
        if self.inbound is None and self._fingerprint and now - self._since > _GIVE_UP_SECONDS:
            return self._fail(
                f"no encrypted connection came about within {_GIVE_UP_SECONDS:g} s: a firewall may be in between"
            )
        return None

    def _fail(self, why: str) -> str | None:
        if self._said:
            return None
        self._said = True
        return why

    def _use(self, keys: Keys) -> str | None:
        algorithm = self._fingerprint.partition(" ")[0].lower()
        try:
            found = fingerprint(keys.certificate, algorithm)
        except KeyError:
            return self._fail(f"the peer's fingerprint is of an algorithm that isn't taken: {algorithm}")
        if found.lower() != self._fingerprint.lower():
            return self._fail("the peer's certificate isn't the one that signalling named")
        profile, _, _, self.added = _PROFILES[keys.profile]
        inbound = Policy(keys.theirs, Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        outbound = Policy(keys.ours, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        inbound.window_size = outbound.window_size = 1024
        self._sessions = Session(inbound), Session(outbound)
        self.inbound, self.outbound = self._sessions[0]._srtp[0], self._sessions[1]._srtp[0]
        self.wide, self.moved, self._said = False, True, False
        return ""

    def seal(self, packet: bytes) -> bytes:
        """One RTP packet, encrypted. b"" if that can't be."""
        return self._through(1, Session.protect, packet)

    def seal_rtcp(self, packet: bytes) -> bytes:
        return self._through(1, Session.protect_rtcp, packet)

    def open_rtcp(self, packet: bytes) -> bytes:
        """b"" for what isn't the peer's."""
        return self._through(0, Session.unprotect_rtcp, packet)

    def _through(self, which: int, work: Callable[[Session, bytes], bytes], packet: bytes) -> bytes:
        if self._sessions is None:
            return b""
        try:
            return work(self._sessions[which], packet)
        except (SrtpError, ValueError):
            return b""
