"""The transaction layer: drives the tables of `tables.py`, matches messages (RFC 3261 17.1.3, 17.2.3), repeats."""

from collections.abc import Callable

from centrala.protocols.sip.config import StackConfig
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.message import Message
from centrala.protocols.sip.tables import (
    Act,
    Input,
    State,
    Step,
    client,
    invite_client,
    invite_server,
    server,
)
from centrala.protocols.sip.timers import Timers

MAGIC = "z9hG4bK"
_FIRED = {letter: Input[f"TIMER_{letter}"] for letter in "ABDEFGHIJKLM"}
_FOR_USER = frozenset({Act.DELIVER, Act.TIMED_OUT, Act.UNREACHABLE})
Owner = tuple[str, str, str]
"""Who sent a request: ("leg", leg, purpose), ("trunk", name, ""), ("options", key, "")."""


class Transaction:
    """One request and its responses, ours or the peer's."""

    __slots__ = (
        "data",
        "flow",
        "interval",
        "is_client",
        "key",
        "merge",
        "method",
        "owner",
        "pending",
        "request",
        "state",
        "table",
    )

    def __init__(
        self, key: str, method: str, flow: Flow, table: Callable[[State, Input], Step | None]
    ) -> None:
        self.key = key
        self.method = method
        self.flow = flow
        self.table = table
        self.state = State.PROCEEDING
        self.data = b""
        """The request (client) or the last response (server)."""
        self.request: Message | None = None
        """Server: until its final response."""
        self.owner: Owner = ("", "", "")
        self.interval = 0.0
        self.merge: tuple[str, str, int, str] | None = None
        self.pending = False
        """Server: counted against its source."""
        self.is_client = table is invite_client or table is client


class Transactions:
    """All of a stack's transactions. What concerns the user comes back as the `Act` of `drive`."""

    def __init__(
        self,
        config: StackConfig,
        timers: Timers,
        send: Callable[[Flow, bytes], None],
        counters: dict[str, int],
    ) -> None:
        self._config = config
        self._timers = timers
        self._send = send
        self._counters = counters
        self.clients: dict[str, Transaction] = {}
        self.servers: dict[str, Transaction] = {}
        self._merges: dict[tuple[str, str, int, str], str] = {}
        self.pending: dict[str, int] = {}
        """Unanswered requests by source host."""

    # -- clients

    def request(
        self, method: str, branch: str, data: bytes, flow: Flow, owner: Owner, now: float
    ) -> Transaction:
        """Send a request in a new client transaction."""
        invite = method == "INVITE"
        tx = Transaction(f"{branch} {method}", method, flow, invite_client if invite else client)
        tx.data = data
        tx.owner = owner
        tx.state = State.CALLING if invite else State.TRYING
        self.clients[tx.key] = tx
        self._send(flow, data)
        timer_owner = "c" + tx.key
        tx.interval = self._config.t1
        if not flow.reliable:
            self._timers.set(timer_owner, "A" if invite else "E", now + tx.interval)
        self._timers.set(timer_owner, "B" if invite else "F", now + 64 * self._config.t1)
        return tx

    def client_of(self, response: Message) -> Transaction | None:
        return self.clients.get(f"{response.via.branch} {response.cseq[1]}")

    def forget(self, tx: Transaction) -> None:
        """End a transaction outside of its table (RFC 3261 9.1: no final response after CANCEL)."""
        self._end(tx)

    # -- servers

    @staticmethod
    def server_key(message: Message, method: str) -> str:
        via = message.via
        branch = via.branch
        if branch.startswith(MAGIC) and len(branch) > len(MAGIC):
            return f"{branch} {via.host.lower()}:{via.port} {method}"
        number, _ = message.cseq
        # RFC 2543 peers (17.2.3): their branch means nothing
        return f"{message.call_id} {number} {message.from_.tag} {via.host}:{via.port} {message.uri} {method}"

    def serve(self, message: Message, key: str, flow: Flow) -> Transaction:
        """A server transaction for a new request; nothing is sent yet."""
        invite = message.method == "INVITE"
        tx = Transaction(key, message.method, flow, invite_server if invite else server)
        tx.state = State.PROCEEDING if invite else State.TRYING
        tx.request = message
        tx.merge = (message.call_id, message.from_.tag, message.cseq[0], message.method)
        self._merges.setdefault(tx.merge, key)
        self.servers[key] = tx
        tx.pending = True
        host = flow.remote[0]
        self.pending[host] = self.pending.get(host, 0) + 1
        return tx

    def merged(self, message: Message, key: str) -> bool:
        """True for a request that came here on another way already (RFC 3261 8.2.2.2)."""
        other = self._merges.get((message.call_id, message.from_.tag, message.cseq[0], message.method))
        return other is not None and other != key

    def overloaded(self, source: str) -> bool:
        config = self._config
        return (
            len(self.servers) >= config.max_transactions
            or self.pending.get(source, 0) >= config.max_pending_per_source
        )

    def respond(self, tx: Transaction, status: int, data: bytes, now: float) -> None:
        """Send the user's response. Too late a one is ignored and counted."""
        happened = Input.PROVISIONAL if status < 200 else Input.SUCCESS if status < 300 else Input.FAILURE
        step = tx.table(tx.state, happened)
        if step is None:
            self._counters["late response"] = self._counters.get("late response", 0) + 1
            return
        tx.data = data
        if status >= 200:
            tx.request = None
            self._answered(tx)
        self._perform(tx, step, now)

    def move(self, tx: Transaction, flow: Flow) -> None:
        """Answer a server transaction over another connection than the request's."""
        if tx.pending:
            self._answered(tx)
            tx.pending = True
            self.pending[flow.remote[0]] = self.pending.get(flow.remote[0], 0) + 1
        tx.flow = flow

    def _answered(self, tx: Transaction) -> None:
        if tx.pending:
            tx.pending = False
            host = tx.flow.remote[0]
            left = self.pending.get(host, 0) - 1
            if left > 0:
                self.pending[host] = left
            else:
                self.pending.pop(host, None)

    # -- both

    def drive(self, tx: Transaction, happened: Input, now: float, ack: bytes = b"") -> Act | None:
        """Tell a transaction what happened; what its user must know comes back."""
        step = tx.table(tx.state, happened)
        return None if step is None else self._perform(tx, step, now, ack)

    def fire(self, owner: str, letter: str, now: float) -> tuple[Transaction, Act] | None:
        """A timer of ours is due."""
        tx = (self.clients if owner[0] == "c" else self.servers).get(owner[1:])
        if tx is None:
            return None
        act = self.drive(tx, _FIRED[letter], now)
        return None if act is None else (tx, act)

    def _perform(self, tx: Transaction, step: Step, now: float, ack: bytes = b"") -> Act | None:
        before = tx.state
        tx.state, acts = step
        told: Act | None = None
        for act in acts:
            if act in _FOR_USER:
                told = act
            elif act is Act.SEND or act is Act.RESEND:
                if tx.data:
                    self._send(tx.flow, tx.data)
            elif act is Act.SEND_ACK:
                self._send(tx.flow, ack)
            else:
                self._start(tx, act, before, now)
        if tx.state is State.TERMINATED:
            self._end(tx)
        elif tx.state is not before and (tx.state >= State.ACCEPTED or before is State.CALLING):
            self._stop_repeats(tx)
        return told

    def _stop_repeats(self, tx: Transaction) -> None:
        if tx.is_client:
            owner, names = "c" + tx.key, "AB" if tx.method == "INVITE" else "EF"
        else:
            if tx.state is not State.CONFIRMED:
                return
            owner, names = "s" + tx.key, "GH"
        for name in names:
            self._timers.cancel(owner, name)

    def _start(self, tx: Transaction, act: Act, before: State, now: float) -> None:
        config = self._config
        t1, reliable = config.t1, tx.flow.reliable
        letter = act.name[-1]
        owner = ("c" if tx.is_client else "s") + tx.key
        match act:
            case Act.START_A:
                tx.interval *= 2
                wait = tx.interval
            case Act.START_E:
                # RFC 3261 17.1.2.2: at T2 once a provisional response is here
                tx.interval = config.t2 if before is State.PROCEEDING else min(tx.interval * 2, config.t2)
                wait = tx.interval
            case Act.START_G:
                if reliable:
                    return
                tx.interval = t1 if before is State.PROCEEDING else min(tx.interval * 2, config.t2)
                wait = tx.interval
            case Act.START_D | Act.START_J:
                wait = 0.0 if reliable else 64 * t1
            case Act.START_I | Act.START_K:
                wait = 0.0 if reliable else config.t4
            case _:
                wait = 64 * t1
        if wait:
            self._timers.set(owner, letter, now + wait)
        else:
            tx.state = State.TERMINATED

    def _end(self, tx: Transaction) -> None:
        if tx.is_client:
            self.clients.pop(tx.key, None)
            self._timers.cancel_all("c" + tx.key)
            return
        self.servers.pop(tx.key, None)
        self._timers.cancel_all("s" + tx.key)
        self._answered(tx)
        if tx.merge is not None and self._merges.get(tx.merge) == tx.key:
            del self._merges[tx.merge]
