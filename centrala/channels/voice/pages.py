"""Browser phones: a page's web socket as a flow of SIP, its sleep, its reload, its line test.

A page has signed in by HTTP already, so its socket belongs to one agent: requests over it need no digest, and can't
be anybody else's. What goes over the socket is ordinary SIP (RFC 7118).
"""

import logging
import re
from collections.abc import Callable
from typing import Protocol

from centrala.channels.voice.book import LegBook, reason
from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.registration import Registration
from centrala.channels.voice.transport import Transports
from centrala.core import facts as f
from centrala.media import messages as m
from centrala.protocols.sip import events as s
from centrala.protocols.sip.flow import WEB_SOCKETS, Flow

log = logging.getLogger(__name__)

ECHO = "echo"
"What a page calls for its line test; nobody else can."
ECHO_SECONDS = 60.0
AWAKE_WITHIN = 1.5
"Seconds for a page to say anything to an INVITE, be it 100; one that doesn't sleeps (frozen tab, closed lid)."

_LIBRARIES = re.compile(r"JsSIP|SIP\.js", re.IGNORECASE)


class Connection(Protocol):
    """The shell's end of a socket."""

    def send(self, data: bytes) -> None: ...

    def abort(self) -> None: ...


class PhoneDoor:
    """Where web sockets that a signed-in agent has opened come in. For `web/`."""

    def __init__(self, transports: Transports, registration: Registration, now: Callable[[], float]) -> None:
        self._transports = transports
        self._registration = registration
        self._now = now

    def open_to(self, tenant: str, agent: str) -> int:
        """How many sockets this agent has now."""
        return sum(owner == (tenant, agent) for owner in self._registration.owners.values())

    def enter(
        self, connection: Connection, *, secure: bool, local: tuple[str, int], remote: tuple[str, int],
        tenant: str, agent: str,
    ) -> Flow:  # fmt: skip
        """A socket of this agent's page. `leave` when it is closed, in any case."""
        flow = self._transports.opened(connection, "wss" if secure else "ws", local, remote)
        self._registration.owners[flow.connection] = (tenant, agent)
        return flow

    def hear(self, flow: Flow, data: bytes) -> None:
        """One message that came over it."""
        if flow.connection in self._registration.asleep:
            self._registration.woke(flow.connection, self._now())
        self._transports.received(data, flow)
        self._transports.settled()

    def leave(self, flow: Flow) -> None:
        self._transports.gone(flow)
        self._registration.owners.pop(flow.connection, None)
        self._registration.asleep.discard(flow.connection)


class Pages(LegBook):
    """What is different with a phone that is a page."""

    def _is_page(self, flow: Flow | None, tenant: str, agent: str) -> bool:
        """Whether a phone that registered over this flow takes calls by WebRTC alone."""
        if flow is None or flow.transport not in WEB_SOCKETS:
            return False
        if flow.connection in self.registration.owners:
            return True
        bindings = self.registration.bindings(tenant, agent, self.desk.now())
        return any(one.flow == flow and _LIBRARIES.search(one.user_agent) for one in bindings)

    # --- is it awake? ---

    def _expect_word(self, leg: VoiceLeg) -> None:
        """A page that is rung must say something at once, or the caller waits for nobody."""
        if leg.web and leg.side:
            self.desk.later(AWAKE_WITHIN, self._no_word, leg.id)

    def _no_word(self, name: str) -> None:
        leg = self.legs.get(name)
        if leg is None or leg.established or self.stack.heard(name):
            return
        branches = self._branches.get(leg.side, [])
        if name not in branches:
            return
        log.info("tenant %s: the page of agent %s sleeps, a call goes on", leg.tenant, leg.agent)
        now = self.desk.now()
        flow = self.stack.flow_of(name)
        if flow is not None and flow.connection in self.registration.owners:
            self.registration.asleep.add(flow.connection)
        branches.remove(name)
        self._end(leg, "", now)
        if not branches:
            del self._branches[leg.side]
            self.desk.tell(leg.tenant, f.OfferFailed(now, leg.contact, leg.side, "asleep"))
        self.desk.wake()

    # --- it was loaded again ---

    def _resume(self, event: s.InviteReceived, tenant: str, agent: str, now: float) -> bool:
        """The page of a call that goes on was loaded again: a new dialog and new encryption for the same leg.

        False: there is no such call of this agent's, and the INVITE has got its answer.
        """
        name = event.replaces.leg if event.replaces is not None else None
        leg = self.legs.get(name or "")
        if leg is None or (leg.tenant, leg.agent) != (tenant, agent) or not (leg.established and leg.web):
            self.stack.refuse(event.key, 481, now=now)
            return False
        return self._supplant(event, leg, now)

    def _supplant(self, event: s.InviteReceived, leg: VoiceLeg, now: float) -> bool:
        """A new dialog for an established leg, whose old one is hung up; False: the INVITE has got its answer."""
        leg.ufrag = leg.peer_ufrag = ""
        if event.sdp is None or not self._take_offer(leg, event.sdp):
            self.stack.refuse(event.key, 488, now=now)
            return False
        if not self.stack.supplant(event.key, leg.id, now=now):
            return False  # the phone has gone again
        self.stack.respond(leg.id, 200, sdp=leg.sdp, now=now)
        waiting = self._stranded.pop(leg.id, None)
        if waiting is not None:
            waiting.cancel()
        return True

    # --- line test ---

    def _echo(self, event: s.InviteReceived, tenant: str, agent: str, now: float) -> None:
        """A call in which one hears oneself. It is nobody's contact: the core never hears of it.

        An agent has one at a time: a new one ends the old.
        """
        if self.desk.degraded or self.overloaded():
            self.stack.refuse(event.key, 503, headers=[("Retry-After", "5")], now=now)
            return
        name = self._new_contact(now)
        worker = self.sound.choose()
        port = self.sound.take_port(worker)
        if port is None:
            self.stack.refuse(event.key, 503, headers=[("Retry-After", "5")], now=now)
            return
        leg = VoiceLeg(name, tenant, name, worker=worker, port=port, agent=agent, echo=True)
        fits = event.sdp is not None and self._take_offer(leg, event.sdp)
        if not fits or not self.stack.adopt(event.key, name, now=now):
            self.sound.release_port(worker, port)
            self.stack.refuse(event.key, 488, now=now)
            return
        for old in [
            one for one in self.legs.values() if one.echo and (one.tenant, one.agent) == (tenant, agent)
        ]:
            self._end(old, "another line test has begun", now)
        leg.established = True
        self.legs[name] = leg
        self._changed.add(name)
        self._set_leg(leg)
        self.sound.send(worker, m.Hear(leg=name, sources={name: 1.0}))
        self.stack.respond(name, 200, sdp=leg.sdp, now=now)
        self.desk.later(ECHO_SECONDS, self._end_echo, name)

    def _end_echo(self, name: str) -> None:
        if name in self.legs:
            self._drop(self.legs[name])
            self.stack.bye(name, reason=reason("the line test is over"), now=self.desk.now())
            self.desk.wake()
