"""From the core to the wire: commands carried out, as dialogs and sound. Nothing leaves before the commit."""

import logging
import re
from collections.abc import Collection

from centrala.channels.voice.book import REFUSALS, reason
from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.prompts import PROMPT, Prompts
from centrala.core import commands as c
from centrala.core import facts as f
from centrala.media import messages as m
from centrala.protocols.sip.flow import Flow
from centrala.settings import Trunk

log = logging.getLogger(__name__)

SOUND = "sound:"
"Before the name of a sound among the sources of a mix."

MOST_WANTED = 10_000
"Numbers outside that are kept until they are rung; asked for and refused, they stay until newer ones push them out."

Target = tuple[str, Flow | None, tuple[str, ...], Trunk | None]
"(URI, flow, route, trunk) of a phone to ring."

PASSED_ON = frozenset({408, *range(500, 600)})
"Statuses of a trunk after which the next one is tried."

TRANSFER_BYE = 0.5
"Seconds that a phone has to take in how its transfer went, before we hang up with it."

TRUNK_SILENCE = 4.0
"Seconds without any word, not even 100, after which a call is tried over the next trunk."


class Orders(Prompts):
    # --- the caller ---

    def _answer(self, tenant: str, command: c.Answer) -> None:
        leg = self._leg_of(command.contact, command.leg)
        if leg is None or leg.established:
            return
        leg.established = True
        self._changed.add(leg.id)
        self._listen_for_tones(leg)
        self._set_leg(leg)
        self.stack.respond(leg.id, 200, sdp=leg.sdp, now=self.desk.now())

    def _ring_back(self, tenant: str, command: c.RingBack) -> None:
        leg = self._leg_of(command.contact, command.leg)
        if leg is not None and not leg.established:
            self.stack.respond(leg.id, 180, now=self.desk.now())

    def _refuse(self, tenant: str, command: c.Refuse) -> None:
        leg = self._leg_of(command.contact, command.leg)
        if leg is None:
            return
        self._branches.pop(command.leg, None)
        self.stack.respond(leg.id, REFUSALS.get(command.cause, 500), now=self.desk.now())
        self._drop(leg)

    # --- phones to ring ---

    def _ring(self, tenant: str, command: c.Ring) -> None:
        """INVITE every phone of the agent, or the one outside. What can't be reached fails at once."""
        if command.leg in self._branches:
            return  # done before a restart
        now = self.desk.now()
        number = self._number_outside(tenant, command) if command.target.kind == "line" else ""
        targets = self._targets(tenant, command, number, now) if tenant in self.settings.tenants else []
        self._branches[command.leg] = []
        agent = command.target.name if command.target.kind == "agent" else ""
        for place, target in enumerate(targets):
            name = command.leg if place == 0 else f"{command.leg}/{place}"
            leg = VoiceLeg(name, tenant, command.contact, command.leg, agent=agent, outside=number)
            if not self._ring_one(leg, target, command.auto, now):
                break
        if not self._branches[command.leg]:
            del self._branches[command.leg]
            self.desk.tell(tenant, f.OfferFailed(now, command.contact, command.leg, "unreachable"))

    def _ring_one(self, leg: VoiceLeg, target: Target, auto: bool, now: float) -> bool:
        """Ring one phone as `leg`, a branch of its side; False when no media port is free."""
        uri, flow, route, trunk = target
        beside = self._beside(leg.tenant, leg.contact)
        leg.worker = beside.worker if beside is not None else self.sound.choose()
        port = self.sound.take_port(leg.worker)
        if port is None:
            log.error("tenant %s: no media port is free for a ringing phone", leg.tenant)
            return False
        leg.port = port
        leg.web = self._is_page(flow, leg.tenant, leg.agent)
        if trunk is not None:
            leg.trunk = trunk.id
            self.trunk_calls[leg.tenant, trunk.id] = self.trunk_calls.get((leg.tenant, trunk.id), 0) + 1
            self.desk.later(TRUNK_SILENCE, self._trunk_silent, leg.id)
        self.legs[leg.id] = leg
        self._changed.add(leg.id)
        try:
            self._invite_out(leg, uri, flow, route, trunk, auto, now)
        except ValueError:
            log.error("tenant %s: a phone can't be rung: its address can't be read, or nothing listens here for "
                      "its transport (listen.sip)", leg.tenant)  # fmt: skip
            self._drop(leg)
            return True
        self._branches[leg.side].append(leg.id)
        if leg.web:
            self._set_leg(leg)  # its handshake may be there before its answer
            self._expect_word(leg)
        return True

    # --- numbers outside, which the core never sees ---

    def keep_number(self, tenant: str, contact: str, number: str) -> None:
        """The number outside that somebody in the contact wants to be rung next."""
        self._wanted[contact] = number
        if len(self._wanted) > MOST_WANTED:
            del self._wanted[next(iter(self._wanted))]
        leg = self._beside(tenant, contact)
        if leg is not None:  # so that a restart knows it
            leg.wanted = number
            self._changed.add(leg.id)

    def _number_outside(self, tenant: str, command: c.Ring) -> str:
        if command.number is not None or command.party:
            return self._promised(tenant, command.number, command.party)
        if command.target.name:  # an expert's, or what a flow names: it is configured
            return command.target.name
        number = self._wanted.pop(command.contact, "")
        beside = self._beside(tenant, command.contact)
        return number or (beside.wanted if beside is not None else "")

    def _caller_shown(self, leg: VoiceLeg) -> tuple[str, str, bool]:
        """(user, display name, an agent?) of whom a phone that is rung shall show as calling."""
        contact = self._centre(leg.tenant).contacts.get(leg.contact)
        if contact is None:
            return "", "", False
        if contact.calling:  # the agent's own phone shows whom it is going to call
            return self._wanted.get(contact.id, "") or contact.dialled, "", False
        if contact.owed and leg.agent and not contact.customer:
            return self._promised(leg.tenant, contact.number, contact.party), "", False
        party = contact.parties.get(leg.side)
        asks = leg.customer or (party is not None and party.role == "consult")
        caller = self._leg_of(contact.id, contact.leg or "") if asks else self._leg_of(contact.id)
        if caller is None:
            return "", "", False
        return caller.user or caller.agent or caller.outside, caller.display, bool(caller.agent)

    def _targets(self, tenant: str, command: c.Ring, number: str, now: float) -> list[Target]:
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
                return self._over_a_trunk(tenant, number, ())

    # --- trunks, one after the other ---

    def _over_a_trunk(self, tenant: str, number: str, tried: Collection[str]) -> list[Target]:
        """The first trunk with room to the number outside; those known to be down come last."""
        if not number:
            return []
        trunks = self.doors.way_out(tenant)
        for trunk in sorted(trunks, key=lambda one: (tenant, one.id) in self.trunks_down):
            full = self.trunk_calls.get((tenant, trunk.id), 0) >= (trunk.max_calls or 1 << 30)
            uri = trunk_uri(trunk, number)
            if uri is not None and not full and trunk.id not in tried:
                return [(uri, None, (), trunk)]
        return []

    def _over_the_next_trunk(self, failed: VoiceLeg, status: int, now: float) -> bool:
        """After a trunk that couldn't serve a call: True if another one is being tried."""
        if not failed.trunk or failed.rang or status not in PASSED_ON:
            return False
        tried = [*failed.tried, failed.trunk]
        targets = self._over_a_trunk(failed.tenant, failed.outside, tried)
        if not targets:
            return False
        log.warning(
            "tenant %s: trunk %s answered %d, the next one is tried", failed.tenant, failed.trunk, status
        )
        leg = VoiceLeg(
            f"{failed.side}/{len(tried)}", failed.tenant, failed.contact, failed.side, outside=failed.outside
        )
        leg.tried = tried
        # False as well where its address can't be called.
        return self._ring_one(leg, targets[0], False, now) and leg.id in self.legs

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
        self, leg: VoiceLeg, uri: str, flow: Flow | None, route: tuple[str, ...], trunk: Trunk | None, auto: bool,
        now: float,
    ) -> None:  # fmt: skip
        domain = self.settings.tenants[leg.tenant].domain
        user, display, works_here = self._caller_shown(leg)
        user = _user_part(user) or "anonymous"
        credentials = None
        if trunk is not None:
            if works_here:
                # The names of those who work here are nobody's business outside.
                user = _user_part(trunk.register.user) if trunk.register is not None else self._asked_at(leg)
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
            from_display=display if trunk is None else "",
            sdp=self._offer(leg),
            headers=self._about(leg, auto) if leg.agent else (),
            route=route,
            credentials=credentials,
            now=now,
        )

    def _asked_at(self, leg: VoiceLeg) -> str:
        """The number of ours that whoever is called back had called."""
        contact = self._centre(leg.tenant).contacts.get(leg.contact)
        if contact is None or not contact.owed or not leg.customer:
            return "anonymous"
        return _user_part(contact.dialled) or "anonymous"

    def _about(self, leg: VoiceLeg, auto: bool) -> list[tuple[str, str]]:
        """What an agent's phone is told of the call, for pages; and whether it may answer by itself (RFC 5373)."""
        headers = [("X-Centrala-Contact", leg.contact), ("X-Centrala-Leg", leg.side)]
        contact = self._centre(leg.tenant).contacts.get(leg.contact)
        queue = (contact.queue or contact.leg_queue or contact.back_queue) if contact is not None else None
        if queue is not None:
            headers.append(("X-Centrala-Queue", queue))
        if auto:
            headers.append(("Answer-Mode", "Auto"))
        return headers

    def _cancel_ring(self, tenant: str, command: c.CancelRing) -> None:
        now = self.desk.now()
        contact = self._centre(tenant).contacts.get(command.contact)
        # RFC 3326 2: phones don't count it as a missed call then.
        taken = contact is not None and (contact.state == "active" or contact.briefing is not None)
        for name in self._branches.pop(command.leg, []):
            leg = self.legs.get(name)
            if leg is not None and taken:
                self.stack.cancel(name, reason=reason("Call completed elsewhere", 200), now=now)
            if leg is not None:
                self._end(leg, "", now)

    # --- the conversation ---

    def _mix(self, tenant: str, command: c.Mix) -> None:
        """Say the whole matrix: each leg of the contact hears what stands in its row, and nothing else."""
        for name, row in command.hears.items():
            listener = self._leg_of(command.contact, name)
            if listener is None:
                continue
            if listener.established and self._listen_for_tones(listener):
                self._set_leg(listener)
            sources: dict[str, float] = {}
            for source, gain in row.items():
                if source.startswith(PROMPT):
                    sources[source] = gain
                    continue
                if source.startswith(SOUND):
                    player = self.sound.player(listener.worker, tenant, source.removeprefix(SOUND))
                    sources[player] = gain
                    continue
                speaker = self._leg_of(command.contact, source)
                if speaker is not None:
                    sources[speaker.id] = gain
            self.sound.send(listener.worker, m.Hear(leg=listener.id, sources=sources))

    def _record(self, tenant: str, command: c.Record) -> None:
        customer, other = self._leg_of(command.contact), self._other(command.leg)
        if customer is not None and other is not None:
            self.sound.send(
                customer.worker,
                m.Record(
                    recording=customer.contact,
                    left=customer.id,
                    right=other.id,
                    path=f"recordings/{tenant}/{customer.contact}.wav",
                    began=self._centre(tenant).contacts[command.contact].recorded_at,
                ),
            )
            # A recording that runs since before a transfer goes on with the new one.
            self.sound.send(
                customer.worker,
                m.SetRecordLegs(recording=customer.contact, left=customer.id, right=other.id),
            )

    def _stop_record(self, tenant: str, command: c.StopRecord) -> None:
        leg = self._leg_of(command.contact)
        if leg is not None:
            self.sound.send(leg.worker, m.StopRecording(recording=command.contact))

    def _pause_record(self, tenant: str, command: c.PauseRecord) -> None:
        if command.alarm:
            log.error(
                "ALARM tenant %s: a recording that was paused by hand goes on, for its longest pause is over",
                tenant,
            )
        leg = self._leg_of(command.contact)
        if leg is not None:
            change = m.PauseRecording if command.paused else m.ResumeRecording
            self.sound.send(leg.worker, change(recording=command.contact))

    def _hang_up(self, tenant: str, command: c.HangUp) -> None:
        now = self.desk.now()
        names = self._branches.pop(command.leg or command.contact, [])
        if not command.leg and not names:
            names = [command.contact]
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
        leg = self._leg_of(command.contact, command.leg)
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
