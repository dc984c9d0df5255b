"""Where phones can be reached: bindings per user as a pure value (RFC 3261 10.3, Path RFC 3327, outbound RFC 5626).

No time and no network inside; the caller keeps one `Registrar` per domain and stores it as JSON.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from centrala.protocols.sip.events import ContactBinding, RegisterReceived
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.uri import SipSyntaxError, parse_uri

MAX_CONTACTS = 10
MIN_EXPIRES, MAX_EXPIRES = 30, 3600


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of a user, and the way to it."""

    user: str
    uri: str
    expires_at: float
    q: float
    call_id: str
    cseq: int
    instance: str
    reg_id: int
    path: tuple[str, ...]
    """Route values for requests to this contact."""
    flow: Flow
    """What the REGISTER came over: requests to this contact go back there."""
    user_agent: str = ""

    @property
    def key(self) -> str:
        """What makes it the same contact as another (RFC 5626 6: instance and reg-id, else the URI)."""
        if self.instance:
            return f"{self.instance} {self.reg_id}"
        return canonical(self.uri)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A REGISTER that can't be carried out: answer with this status and these headers."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Updated:
    """What a REGISTER led to."""

    registrar: "Registrar"
    bindings: tuple[Binding, ...]
    """All that the user now has."""
    added: tuple[Binding, ...] = ()
    removed: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class Registrar:
    """All bindings of a domain. Every change gives a new value; the mapping inside is never changed."""

    users: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    min_expires: int = MIN_EXPIRES
    max_expires: int = MAX_EXPIRES

    def lookup(self, user: str, now: float) -> tuple[Binding, ...]:
        """Live bindings, best liked first, of equals the newest."""
        live = [b for b in self.users.get(user, ()) if b.expires_at > now]
        return tuple(sorted(live, key=lambda b: (-b.q, -b.expires_at)))

    def update(self, request: RegisterReceived, now: float) -> Updated | Refusal:
        """Carry out a REGISTER that has been authenticated: all of it or nothing (RFC 3261 10.3)."""
        user = request.user
        before = tuple(b for b in self.users.get(user, ()) if b.expires_at > now)
        held = {b.key: b for b in before}
        removed: list[Binding] = []
        added: list[Binding] = []
        if request.everything:
            for binding in before:
                if binding.call_id == request.call_id and request.cseq <= binding.cseq:
                    return Refusal(500, "Out of order")
            removed = list(before)
            held = {}
        for contact in request.contacts:
            if 0 < contact.expires < self.min_expires:
                return Refusal(423, "Interval Too Brief", (("Min-Expires", str(self.min_expires)),))
            try:
                scheme = parse_uri(contact.uri).scheme
            except SipSyntaxError:
                scheme = ""
            if scheme not in ("sip", "sips"):
                return Refusal(400, "Unusable Contact")
            binding = Binding(
                user=user,
                uri=contact.uri,
                expires_at=now + min(contact.expires, self.max_expires),
                q=contact.q,
                call_id=request.call_id,
                cseq=request.cseq,
                instance=contact.instance,
                reg_id=contact.reg_id,
                path=request.path,
                flow=request.flow,
                user_agent=request.user_agent[:100],
            )
            old = held.get(binding.key)
            if old is not None and old.call_id == request.call_id and request.cseq <= old.cseq:
                return Refusal(500, "Out of order")
            if contact.expires == 0:
                if old is not None:
                    removed.append(old)
                    del held[binding.key]
                continue
            if old is None:
                added.append(binding)
            held.pop(binding.key, None)
            held[binding.key] = binding
        if len(held) > MAX_CONTACTS:
            return Refusal(403, "Too many contacts")
        return Updated(
            self._with(user, tuple(held.values())), tuple(held.values()), tuple(added), tuple(removed)
        )

    def _with(self, user: str, bindings: tuple[Binding, ...]) -> "Registrar":
        users = dict(self.users)
        if bindings:
            users[user] = bindings
        else:
            users.pop(user, None)
        return replace(self, users=users)

    def without(self, over: Callable[[Binding], bool]) -> tuple["Registrar", tuple[Binding, ...]]:
        """Without the bindings that are over, and what those were."""
        gone = tuple(b for bindings in self.users.values() for b in bindings if over(b))
        if not gone:
            return self, ()
        users = {
            user: kept
            for user, bindings in self.users.items()
            if (kept := tuple(b for b in bindings if not over(b)))
        }
        return replace(self, users=users), gone

    def expire(self, now: float) -> tuple["Registrar", tuple[Binding, ...]]:
        return self.without(lambda b: b.expires_at <= now)

    def next_expiry(self) -> float | None:
        return min((b.expires_at for bindings in self.users.values() for b in bindings), default=None)

    def drop_flow(self, flow: Flow) -> tuple["Registrar", tuple[Binding, ...]]:
        """Of a closed connection: nobody can be reached over it again (RFC 5626 4.2.2)."""
        return self.without(lambda b: b.flow == flow)

    def to_json(self) -> bytes:
        return json.dumps([asdict(b) for bindings in self.users.values() for b in bindings]).encode()

    @staticmethod
    def from_json(data: bytes, min_expires: int = MIN_EXPIRES, max_expires: int = MAX_EXPIRES) -> "Registrar":
        """Raises ValueError for what `to_json` didn't write."""
        users: dict[str, tuple[Binding, ...]] = {}
        try:
            for row in json.loads(data):
                flow = row.pop("flow")
                binding = Binding(
                    **{**row, "path": tuple(row["path"])},
                    flow=Flow(
                        flow["transport"], _pair(flow["local"]), _pair(flow["remote"]), flow["connection"]
                    ),
                )
                users[binding.user] = (*users.get(binding.user, ()), binding)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"Stored registrations can't be read: {error!r}") from error
        return Registrar(users, min_expires, max_expires)


def granted(bindings: Sequence[Binding], now: float) -> list[ContactBinding]:
    """Bindings as the 200 to REGISTER lists them."""
    return [
        ContactBinding(b.uri, max(round(b.expires_at - now), 1), b.q, b.instance, b.reg_id) for b in bindings
    ]


def canonical(uri: str) -> str:
    """A URI as RFC 3261 19.1.4 compares it, closely enough: case of host and parameters doesn't count."""
    try:
        u = parse_uri(uri)
    except SipSyntaxError:
        return uri
    params = ";".join(sorted(f"{key}={(value or '').lower()}" for key, value in u.params))
    return f"{u.scheme}:{u.user}@{u.host}:{u.port};{params}"


def _pair(value: Sequence[object]) -> tuple[str, int]:
    host, port = value
    if not isinstance(host, str) or not isinstance(port, int):
        raise TypeError("an address is a host and a port")
    return host, port
