"""From the core to the wire: commands carried out, as dialogs and sound. Nothing leaves before the commit."""

import logging
import re

from centrala.channels.voice.book import REFUSALS, LegBook
from centrala.channels.voice.legs import VoiceLeg
from centrala.core import commands as c
from centrala.core import facts as f
from centrala.media import messages as m
from centrala.protocols.sip.flow import Flow
from centrala.settings import Trunk

log = logging.getLogger(__name__)


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
        targets = self._targets(tenant, command, now)
        caller = self.legs.get(command.contact)
        self._branches[command.leg] = []
        for number, (uri, flow, route, trunk) in enumerate(targets):
            name = command.leg if number == 0 else f"{command.leg}/{number}"
            worker = caller.worker if caller is not None else self.sound.choose()
            port = self.sound.take_port(worker)
            if port is None:
                log.error("tenant %s: no media port is free for a ringing phone", tenant)
                break
            leg = VoiceLeg(name, tenant, command.contact, command.leg, worker=worker, port=port)
            leg.agent = command.target.name if command.target.kind == "agent" else ""
            leg.trunk = trunk.id if trunk is not None else ""
            self.legs[name] = leg
            self._branches[command.leg].append(name)
            self._changed.add(name)
            self._invite_out(leg, caller, uri, flow, route, trunk, now)
        if not self._branches[command.leg]:
            del self._branches[command.leg]
            self.desk.tell(tenant, f.OfferFailed(now, command.contact, command.leg, "unreachable"))

    def _targets(
        self, tenant: str, command: c.Ring, now: float
    ) -> list[tuple[str, Flow | None, tuple[str, ...], Trunk | None]]:
        """(URI, flow, route, trunk) of each phone to ring."""
        target = command.target
        match target.kind:
            case "agent":
                agent = self.settings.tenants[tenant].agents.get(target.name)
                found: list[tuple[str, Flow | None, tuple[str, ...], Trunk | None]] = [
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
                trunk = self._free_trunk(tenant)
                if caller is None or trunk is None:
                    return []
                address = trunk.address or (trunk.register.registrar if trunk.register else None)
                if address is None:
                    return []
                self.trunk_calls[tenant, trunk.id] = self.trunk_calls.get((tenant, trunk.id), 0) + 1
                host = f"[{address[0]}]" if ":" in address[0] else address[0]
                suffix = "" if trunk.transport == "udp" else f";transport={trunk.transport}"
                return [(f"sip:{caller.outside}@{host}:{address[1]}{suffix}", None, (), trunk)]

    def _free_trunk(self, tenant: str) -> Trunk | None:
        for trunk in self.doors.way_out(tenant):
            if trunk.max_calls is None or self.trunk_calls.get((tenant, trunk.id), 0) < trunk.max_calls:
                return trunk
        return None

    def _invite_out(
        self, leg: VoiceLeg, caller: VoiceLeg | None, uri: str, flow: Flow | None, route: tuple[str, ...],
        trunk: Trunk | None, now: float,
    ) -> None:  # fmt: skip
        domain = self.settings.tenants[leg.tenant].domain
        user = _user_part(caller.user if caller is not None else "") or "anonymous"
        credentials = None
        if trunk is not None:
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
        for name in self._branches.pop(command.leg, []):
            leg = self.legs.get(name)
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
                ),
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
            self.stack.accept_refer(leg.id, now=now)
            self.stack.notify_transfer(leg.id, 200, final=True, now=now)
            del self._branches[command.leg]
            self._end(leg, "transferred", now)

    def _refuse_transfer(self, tenant: str, command: c.RefuseTransfer) -> None:
        leg = self._other(command.leg) if command.leg else self.legs.get(command.contact)
        if leg is not None:
            self.stack.reject_refer(leg.id, REFUSALS.get(command.cause, 603), now=self.desk.now())


def _user_part(text: str) -> str:
    """A user part that may stand in a SIP URI: anything odd is left out (RFC 3261 25.1)."""
    return re.sub(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]", "", text)
