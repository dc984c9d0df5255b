"""From the core to the wire: commands carried out, as dialogs and sound. Nothing leaves before the commit."""

import logging
import re
from collections.abc import Collection

from centrala.channels.voice.book import REFUSALS, LegBook, reason
from centrala.channels.voice.legs import VoiceLeg
from centrala.core import commands as c
from centrala.core import facts as f
from centrala.media import messages as m
from centrala.protocols.sip.flow import Flow
from centrala.settings import Trunk

log = logging.getLogger(__name__)

Target = tuple[str, Flow | None, tuple[str, ...], Trunk | None]
"(URI, flow, route, trunk) of a phone to ring."

PASSED_ON = frozenset({408, *range(500, 600)})
"Statuses of a trunk after which the next one is tried."

TRANSFER_BYE = 0.5
"Seconds that a phone has to take in how its transfer went, before we hang up with it."

TRUNK_SILENCE = 4.0
"Seconds without any word, not even 100, after which a call is tried over the next trunk."


class Orders(LegBook):
    # --- the caller ---

    def _answer(self, tenant: str, command: c.Answer) -> None:
        leg = self.legs.get(command.contact)
        if leg is None or leg.established:
            return
        leg.established = True
        self._changed.add(leg.id)
        self._set_leg(leg)
        self.stack.respond(leg.id, 200, sdp=leg.sdp, now=self.desk.now())

    def _ring_back(self, tenant: str, command: c.RingBack) -> None:
        leg = self.legs.get(command.contact)
        if leg is not None and not leg.established:
            self.stack.respond(leg.id, 180, now=self.desk.now())

    def _refuse(self, tenant: str, command: c.Refuse) -> None:
        leg = self.legs.get(command.contact)
        if leg is None:
            return
        self.stack.respond(leg.id, REFUSALS.get(command.cause, 500), now=self.desk.now())
        self._drop(leg)

    # --- phones to ring ---

    def _ring(self, tenant: str, command: c.Ring) -> None:
        """INVITE every phone of the agent, or the one outside. What can't be reached fails at once."""
        if command.leg in self._branches:
            return  # done before a restart
        now = self.desk.now()
        targets = self._targets(tenant, command, now) if tenant in self.settings.tenants else []
        caller = self.legs.get(command.contact)
        self._branches[command.leg] = []
        agent = command.target.name if command.target.kind == "agent" else ""
        for number, target in enumerate(targets):
            name = command.leg if number == 0 else f"{command.leg}/{number}"
            if not self._ring_one(name, tenant, command.contact, command.leg, agent, caller, target, now):
                break
        if not self._branches[command.leg]:
            del self._branches[command.leg]
            self.desk.tell(tenant, f.OfferFailed(now, command.contact, command.leg, "unreachable"))

    def _ring_one(
        self, name: str, tenant: str, contact: str, side: str, agent: str, caller: VoiceLeg | None,
        target: Target, now: float,
    ) -> bool:  # fmt: skip
        """Ring one phone as leg `name`, a branch of `side`; False when no media port is free."""
        uri, flow, route, trunk = target
        worker = caller.worker if caller is not None else self.sound.choose()
        port = self.sound.take_port(worker)
        if port is None:
            log.error("tenant %s: no media port is free for a ringing phone", tenant)
            return False
        leg = VoiceLeg(name, tenant, contact, side, worker=worker, port=port, agent=agent)
        if trunk is not None:
            leg.trunk = trunk.id
            self.trunk_calls[tenant, trunk.id] = self.trunk_calls.get((tenant, trunk.id), 0) + 1
            self.desk.later(TRUNK_SILENCE, self._trunk_silent, name)
        self.legs[name] = leg
        self._changed.add(name)
        try:
            self._invite_out(leg, caller, uri, flow, route, trunk, now)
        except ValueError:
            log.error("tenant %s: a phone can't be rung: its address can't be read, or nothing listens here for "
                      "its transport (listen.sip)", tenant)  # fmt: skip
            self._drop(leg)
            return True
        self._branches[side].append(name)
        return True

    def _targets(self, tenant: str, command: c.Ring, now: float) -> list[Target]:
        target = command.target
        match target.kind:
            case "agent":
                agent = self.settings.tenants[tenant].agents.get(target.name)
                found: list[Target] = [
                    (binding.uri, binding.flow, binding.path, None)
                    for binding in self.registration.bindings(tenant, target.name, now)
                ]
                if agent is not None and agent.phone is not None and not found:
                    found.append((agent.phone, None, (), None))
                return found
            case "phone":
                return [(target.name, None, (), None)]
            case _:
                caller = self.legs.get(command.contact)
                return self._over_a_trunk(caller, ()) if caller is not None else []

    # --- trunks, one after the other ---

    def _over_a_trunk(self, caller: VoiceLeg, tried: Collection[str]) -> list[Target]:
        """The first trunk with room to the number that `caller` dialled; those known to be down come last."""
        tenant = caller.tenant
        trunks = self.doors.way_out(tenant)
        for trunk in sorted(trunks, key=lambda one: (tenant, one.id) in self.trunks_down):
            full = self.trunk_calls.get((tenant, trunk.id), 0) >= (trunk.max_calls or 1 << 30)
            uri = trunk_uri(trunk, caller.outside)
            if uri is not None and not full and trunk.id not in tried:
                return [(uri, None, (), trunk)]
        return []

    def _over_the_next_trunk(self, failed: VoiceLeg, status: int, now: float) -> bool:
        """After a trunk that couldn't serve a call: True if another one is being tried."""
        caller = self.legs.get(failed.contact)
        if not failed.trunk or failed.rang or status not in PASSED_ON or caller is None:
            return False
        tried = [*failed.tried, failed.trunk]
        targets = self._over_a_trunk(caller, tried)
        if not targets:
            return False
        log.warning(
            "tenant %s: trunk %s answered %d, the next one is tried", failed.tenant, failed.trunk, status
        )
        name = f"{failed.side}/{len(tried)}"
        if not self._ring_one(name, failed.tenant, failed.contact, failed.side, "", caller, targets[0], now):
            return False
        if name not in self.legs:
            return False  # its address can't be called
        self.legs[name].tried = tried
        return True

    def _trunk_silent(self, name: str) -> None:
        """The call goes over another trunk; should this one answer after all, the stack hangs up there."""
        leg = self.legs.get(name)
        if leg is None or self.stack.heard(name):
            return
        branches = self._branches.get(leg.side, [])
        if name in branches and self._over_the_next_trunk(leg, 408, self.desk.now()):
            branches.remove(name)
            self._end(leg, "", self.desk.now())
        self.desk.wake()

    def _invite_out(
        self, leg: VoiceLeg, caller: VoiceLeg | None, uri: str, flow: Flow | None, route: tuple[str, ...],
        trunk: Trunk | None, now: float,
    ) -> None:  # fmt: skip
        domain = self.settings.tenants[leg.tenant].domain
        user = _user_part(caller.user if caller is not None else "") or "anonymous"
        credentials = None
        if trunk is not None:
            if caller is not None and caller.agent:
                # The names of those who work here are nobody's business outside.
                user = _user_part(trunk.register.user) if trunk.register is not None else "anonymous"
            user = _user_part(trunk.caller_id or "") or user
            if trunk.register is not None:
                credentials = (trunk.register.user, trunk.register.password.reveal())
                domain = trunk.register.domain or domain
        self.stack.invite(
            leg.id,
            call_id=f"{leg.id}@{domain}",
            target_uri=uri,
            destination=flow,
            from_uri=f"sip:{user}@{domain}",
            from_display=caller.display if caller is not None and trunk is None else "",
            sdp=self._offer(leg),
            route=route,
            credentials=credentials,
            now=now,
        )

    def _cancel_ring(self, tenant: str, command: c.CancelRing) -> None:
        now = self.desk.now()
        contact = self._centre(tenant).contacts.get(command.contact)
        # RFC 3326 2: phones don't count it as a missed call then.
        taken = contact is not None and contact.state == "active"
        for name in self._branches.pop(command.leg, []):
            leg = self.legs.get(name)
            if leg is not None and taken:
                self.stack.cancel(name, reason=reason("Call completed elsewhere", 200), now=now)
            if leg is not None:
                self._end(leg, "", now)

    # --- the conversation ---

    def _connect(self, tenant: str, command: c.Connect) -> None:
        caller, other = self.legs.get(command.contact), self._other(command.leg)
        if caller is None or other is None:
            return
        self._set_leg(other)
        self.sound.send(caller.worker, m.Hear(leg=caller.id, sources={other.id: 1.0}))
        self.sound.send(other.worker, m.Hear(leg=other.id, sources={caller.id: 1.0}))

    def _play(self, tenant: str, command: c.Play) -> None:
        caller = self.legs.get(command.contact)
        if caller is None:
            return
        player = self.sound.player(caller.worker, tenant, command.sound)
        self.sound.send(caller.worker, m.Hear(leg=caller.id, sources={player: 1.0}))
        contact = self._centre(tenant).contacts.get(command.contact)
        other = self._other(contact.leg) if contact is not None and contact.leg is not None else None
        if other is not None:
            self.sound.send(other.worker, m.Hear(leg=other.id, sources={}))

    def _record(self, tenant: str, command: c.Record) -> None:
        caller, other = self.legs.get(command.contact), self._other(command.leg)
        if caller is not None and other is not None:
            self.sound.send(
                caller.worker,
                m.Record(
                    recording=caller.contact,
                    left=caller.id,
                    right=other.id,
                    path=f"recordings/{tenant}/{caller.contact}.wav",
                    began=self._centre(tenant).contacts[command.contact].recorded_at,
                ),
            )
            # A recording that runs since before a transfer goes on with the new one.
            self.sound.send(
                caller.worker, m.SetRecordLegs(recording=caller.contact, left=caller.id, right=other.id)
            )

    def _hang_up(self, tenant: str, command: c.HangUp) -> None:
        now = self.desk.now()
        names = self._branches.pop(command.leg, []) if command.leg else [command.contact]
        for name in names:
            leg = self.legs.get(name)
            if leg is not None:
                self._end(leg, command.why, now)

    def _accept_transfer(self, tenant: str, command: c.AcceptTransfer) -> None:
        leg = self._other(command.leg)
        if leg is not None:
            now = self.desk.now()
            self.stack.accept_refer(leg.id, known=200, now=now)
            del self._branches[command.leg]
            self.sound.send(leg.worker, m.Hear(leg=leg.id, sources={}))
            self.desk.later(TRANSFER_BYE, self._transferred, leg.id)

    def _transferred(self, name: str) -> None:
        """Hang up with whoever transferred, should they not do it themselves (RFC 5589 6.1)."""
        leg = self.legs.get(name)
        if leg is not None:
            self._end(leg, "transferred", self.desk.now())
            self.desk.wake()

    def _refuse_transfer(self, tenant: str, command: c.RefuseTransfer) -> None:
        leg = self._other(command.leg) if command.leg else self.legs.get(command.contact)
        if leg is not None:
            self.stack.reject_refer(leg.id, REFUSALS.get(command.cause, 603), now=self.desk.now())


def trunk_uri(trunk: Trunk, user: str = "") -> str | None:
    """A SIP URI at the trunk; None for one that only takes calls in."""
    address = trunk.address or (trunk.register.registrar if trunk.register else None)
    return None if address is None else sip_uri(address, trunk.transport, user)


def sip_uri(address: tuple[str, int], transport: str, user: str = "") -> str:
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    suffix = "" if transport == "udp" else f";transport={transport}"
    return f"sip:{user}@{host}:{address[1]}{suffix}" if user else f"sip:{host}:{address[1]}{suffix}"


def _user_part(text: str) -> str:
    """A user part that may stand in a SIP URI: anything odd is left out (RFC 3261 25.1)."""
    return re.sub(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]", "", text)
