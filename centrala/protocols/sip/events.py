"""What the SIP layer tells its user: past tense, frozen, one union `SipEvent`.

A *leg* is the id that the user chose for a dialog. A *key* names a request that waits for the user's answer.
"""

from dataclasses import dataclass

from centrala.protocols.sip.digest import DigestCredentials
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.message import Message
from centrala.protocols.sip.refer import Replaces


@dataclass(frozen=True, slots=True)
class InviteReceived:
    """A call knocks; 100 Trying was sent. Answer with `challenge`, `refuse`, or `adopt` and then `respond`."""

    key: str
    flow: Flow
    request_uri_user: str
    """Percent escapes decoded; the same holds for the other users."""
    request_uri_host: str
    from_user: str
    from_host: str
    from_display: str
    to_user: str
    p_asserted: str | None
    """User part of P-Asserted-Identity (RFC 3325). Believe it from trunks only."""
    privacy: bool
    """The caller asks not to be shown (Privacy: id)."""
    call_id: str
    sdp: str | None
    """None: the caller waits for our offer; its answer comes with `Acked`."""
    auth: DigestCredentials | None
    replaces: Replaces | None
    """RFC 3891: this call takes the place of `replaces.leg`, where the stack knows that dialog."""
    message: Message
    """The request itself: `message.get("x-header")`, `message.all("via")`."""

    @property
    def source(self) -> tuple[str, int]:
        """Address and port that the packet came from."""
        return self.flow.remote


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The caller gave up before an answer. The stack has sent 200 to CANCEL and 487 to INVITE; the leg is gone."""

    leg: str
    reason: str = ""
    """The Reason header (RFC 3326), for instance 'SIP;cause=200;text="Call completed elsewhere"'."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """As `Cancelled`, for an INVITE that was never adopted; the key is void."""

    key: str


@dataclass(frozen=True, slots=True)
class Acked:
    """The peer has confirmed our 2xx. `sdp` is its answer where our 2xx held the offer."""

    leg: str
    sdp: str | None


@dataclass(frozen=True, slots=True)
class Progressed:
    """101-199 to our INVITE; PRACK has been sent where the peer wanted it. 100 isn't told."""

    leg: str
    status: int
    sdp: str | None
    remote_tag: str = ""
    """Tells branches of a forked INVITE apart."""


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """2xx to our INVITE. ACK has been sent, unless the INVITE had no offer: then call `ack(leg, sdp)`."""

    leg: str
    sdp: str | None
    remote_tag: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Our INVITE got nowhere; the leg is gone. 408: silence, 503: a broken transport, 487: our cancel."""

    leg: str
    status: int
    reason: str
    retry_after: int | None = None
    """Seconds."""
    by_peer: bool = True
    """False: no peer said so, the stack concluded it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The dialog is over; the leg is gone. After `bye` it comes at once."""

    leg: str
    by_peer: bool
    why: str
    """"bye", "session expired", "no ack", "no prack", "dialog lost", "not acceptable" ..."""
    reason: str = ""
    """The peer's Reason header (RFC 3326)."""


@dataclass(frozen=True, slots=True)
class ReInvited:
    """The peer offers a change (re-INVITE, UPDATE): `answer_reinvite` or `reject_reinvite`.

    No SDP: the peer asks for our offer; its answer comes with `Reanswered`.
    """

    leg: str
    sdp: str | None


@dataclass(frozen=True, slots=True)
class Reanswered:
    """The result of our `reinvite` or `update`. Not 2xx: the session stays as it was."""

    leg: str
    sdp: str | None
    status: int


@dataclass(frozen=True, slots=True)
class Referred:
    """The peer asks for a transfer: `accept_refer` and `notify_transfer`, or `reject_refer`."""

    leg: str
    refer_to_uri: str
    refer_to_user: str
    replaces: Replaces | None
    """Attended transfer: `replaces.leg` is ours where known."""
    referred_by: str | None


@dataclass(frozen=True, slots=True)
class TransferProgressed:
    """How the transfer that we asked for by `refer` goes; a status of 200 and above is the last word."""

    leg: str
    status: int


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """A digit by INFO (application/dtmf-relay, application/dtmf); answered with 200 already."""

    leg: str
    digit: str
    duration: int
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class PeerUnreachable:
    """The dialog's connection is gone, or a request found no way. The leg lives on: `rebind` it or `bye`."""

    leg: str


@dataclass(frozen=True, slots=True)
class ContactBinding:
    """One Contact of a REGISTER."""

    uri: str
    expires: int
    """Seconds; 0 removes."""
    q: float = 1.0
    instance: str = ""
    """+sip.instance without its brackets (RFC 5626)."""
    reg_id: int = 0


@dataclass(frozen=True, slots=True)
class RegisterReceived:
    """A phone registers: `challenge`, `refuse`, or `Registrar.update` and `accept_register`."""

    key: str
    user: str
    host: str
    contacts: tuple[ContactBinding, ...]
    """Empty with `everything` unset: the phone asks what we hold."""
    everything: bool
    """Contact: * with Expires: 0, remove all."""
    auth: DigestCredentials | None
    call_id: str
    cseq: int
    path: tuple[str, ...]
    """RFC 3327, topmost first."""
    flow: Flow
    user_agent: str
    message: Message


@dataclass(frozen=True, slots=True)
class OptionsAnswered:
    """The result of `options`; 408 for silence, 503 for a broken transport. Any other status shows life."""

    key: str
    status: int


@dataclass(frozen=True, slots=True)
class TrunkRegistered:
    """A carrier has accepted our registration; the stack refreshes it by itself."""

    trunk: str
    expires: int
    """Seconds granted."""


@dataclass(frozen=True, slots=True)
class TrunkRegistrationFailed:
    """A carrier has refused or doesn't answer; the stack tries again at `retry_at`."""

    trunk: str
    status: int
    reason: str
    retry_at: float


@dataclass(frozen=True, slots=True)
class MessageRejected:
    """Something unacceptable came in; for counting and blocking. Holds no content."""

    reason: str
    """One of a fixed, small set of words: "not sip", "missing header", "flood" ..."""
    source: tuple[str, int]


SipEvent = (
    InviteReceived
    | Cancelled
    | Withdrawn
    | Acked
    | Progressed
    | AnsweredCall
    | Failed
    | Ended
    | ReInvited
    | Reanswered
    | Referred
    | TransferProgressed
    | InfoReceived
    | PeerUnreachable
    | RegisterReceived
    | OptionsAnswered
    | TrunkRegistered
    | TrunkRegistrationFailed
    | MessageRejected
)
