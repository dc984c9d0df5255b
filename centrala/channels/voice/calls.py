"""From the wire to the core: what SIP events mean, as facts."""

import logging
import re

from centrala.channels.voice.aside import OVERLOAD_RETRY, Aside
from centrala.channels.voice.book import reason
from centrala.channels.voice.doors import DIALLABLE
from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.pages import ECHO
from centrala.core import facts as f
from centrala.protocols.sip import events as s
from centrala.protocols.sip.flow import Flow
from centrala.settings import Trunk

log = logging.getLogger(__name__)

CAUSES = {
    486: "busy", 600: "busy",
    480: "declined", 603: "declined", 403: "declined",
    408: "unreachable", 404: "unreachable", 410: "unreachable", 503: "unreachable", 502: "unreachable",
    487: "no_answer",
}  # fmt: skip
"SIP statuses of a phone that was rung, as causes of the core."

PEER_LOST_SECONDS = 30.0
"How long a conversation waits for a phone whose connection broke."


class Calls(Aside):
    # --- calls that come in ---

    def _invite(self, event: s.InviteReceived, now: float) -> None:
        if event.flow.connection in self.registration.owners:
            self._from_page(event, now)
            return
        trunks = self.doors.trunks_at(event.flow, _via_port(event))
        if trunks and event.replaces is not None:
            # Nobody outside takes calls over.
            self.stack.refuse(event.key, 403 if event.replaces.leg else 481, now=now)
            return
        if trunks:
            self._from_trunk(event, trunks, now)
            return
        fixed = self.doors.phone_at(event.flow)
        if fixed is None:
            if self.doors.agent_named(event.from_user, event.from_host) is None:
                self.stack.refuse(event.key, 403, now=now)
                return
            fixed = self.registration.admit(
                event.key, event.from_user, event.from_host, event.auth, event.flow, now
            )
            if fixed is None:
                return
        if event.replaces is not None:
            self._replaced(event, fixed[0], fixed[1].id, now)
        else:
            self._from_agent(event, fixed[0], fixed[1].id, now)

    def _from_page(self, event: s.InviteReceived, now: float) -> None:
        """A browser phone: whose it is is known by its socket."""
        found = self.registration.admit(event.key, event.from_user, event.from_host, None, event.flow, now)
        if found is None:
            return
        tenant, agent = found[0], found[1].id
        if event.replaces is not None:
            held = {name for name, leg in self.legs.items() if leg.held}
            if self._resume(event, tenant, agent, now) and event.replaces.leg is not None:
                self._renewed(self.legs[event.replaces.leg], event.replaces.leg in held, now)
        elif event.request_uri_user == ECHO:
            self._echo(event, tenant, agent, now)
        else:
            self._from_agent(event, tenant, agent, now)

    def _from_trunk(self, event: s.InviteReceived, trunks: list[tuple[str, Trunk]], now: float) -> None:
        dialled = event.request_uri_user
        tenant, trunk = trunks[0]
        number = None
        for tenant, trunk in trunks:  # two tenants may share a carrier: whose number is it?
            number = self.doors.number_in(tenant, dialled)
            if number is None and trunk.register is not None and dialled == trunk.register.user:
                # A carrier calls what we registered; the number that was dialled stands in To.
                number = self.doors.number_in(tenant, event.to_user)
            if number is not None:
                break
        if number is None and dialled in self.settings.tenants[tenant].agents:
            # Agents' ids are extensions of the house alone.
            log.info("tenant %s: a call from trunk %s to an agent's id was turned away", tenant, trunk.id)
            self.stack.refuse(event.key, 404, now=now)
            return
        user = event.p_asserted or event.from_user
        if event.privacy:
            user = ""
        calls = self.trunk_calls.get((tenant, trunk.id), 0)
        if trunk.max_calls is not None and calls >= trunk.max_calls:
            self.stack.refuse(event.key, 503, headers=[("Retry-After", str(OVERLOAD_RETRY))], now=now)
            return
        leg = self._adopt(event, tenant, user, now)
        if leg is None:
            return
        leg.trunk = trunk.id
        self.trunk_calls[tenant, trunk.id] = calls + 1
        known = self.acquainted(tenant, user, now)
        self._tell_arrival(
            leg,
            f.ContactArrived(
                now,
                leg.contact,
                number or dialled,
                leg.contact,
                caller=known.caller,
                last_agent=known.last_agent,
                last_at=known.last_at,
                preferred=known.preferred,
            ),
        )

    def _from_agent(self, event: s.InviteReceived, tenant: str, agent: str, now: float) -> None:
        dialled = event.request_uri_user
        number = self.doors.number_in(tenant, dialled)
        if number is None and dialled in self.settings.tenants[tenant].agents:
            number = dialled
        outside = number is None and bool(DIALLABLE.match(dialled)) and bool(self.doors.way_out(tenant))
        outside = outside and not self._parks(tenant, dialled)
        if self._beside_a_conversation(event, tenant, agent, number or dialled, outside, now):
            return
        leg = self._adopt(event, tenant, agent, now, calls_outside=outside)
        if leg is None:
            return
        leg.agent = agent
        if outside:
            leg.outside = leg.wanted = dialled
            caller = self.pseudonym(tenant, dialled)
            arrival = f.ContactArrived(
                now, leg.contact, "", leg.contact, agent=agent, outside=True, caller=caller
            )
        else:
            arrival = f.ContactArrived(now, leg.contact, number or dialled, leg.contact, agent=agent)
        self._tell_arrival(leg, arrival)

    def _adopt(
        self, event: s.InviteReceived, tenant: str, user: str, now: float, *, calls_outside: bool = False
    ) -> VoiceLeg | None:
        """Make the caller's leg; None when it can't be taken now, and has been told so.

        It is the customer's, with the contact's id, unless it `calls_outside`: then whom it calls is the customer.
        """
        if self.desk.degraded or self.overloaded():
            self.refused += 1
            self.stack.refuse(event.key, 503, headers=[("Retry-After", str(OVERLOAD_RETRY))], now=now)
            return None
        contact = self._new_contact(now)
        worker = self.sound.choose()
        port = self.sound.take_port(worker)
        if port is None:
            self.refused += 1
            log.error("tenant %s: no media port is free, a call is turned away", tenant)
            self.stack.refuse(event.key, 503, headers=[("Retry-After", str(OVERLOAD_RETRY))], now=now)
            return None
        name = f"{contact}.1" if calls_outside else contact
        side = name if calls_outside else ""
        leg = VoiceLeg(name, tenant, contact, side, worker, port, user=user, inward=calls_outside)
        leg.display = event.from_display if user == event.from_user else ""
        if event.sdp is None:
            self._offer(leg)  # the caller's answer comes with its ACK
        elif not self._take_offer(leg, event.sdp):
            self.sound.release_port(worker, port)
            self.stack.refuse(event.key, 488, now=now)
            return None
        if not self.stack.adopt(event.key, name, now=now):
            self.sound.release_port(worker, port)  # its CANCEL came in the same bunch
            return None
        self.legs[name] = leg
        if side:
            self._branches[side] = [name]
        return leg

    def _tell_arrival(self, leg: VoiceLeg, fact: f.ContactArrived) -> None:
        self._parties.append((leg.tenant, leg.contact, leg.outside or leg.user, leg.display, fact.at))
        self._changed.add(leg.id)
        self.desk.tell(leg.tenant, fact)

    def _cancelled(self, event: s.Cancelled, now: float) -> None:
        self._gone(event.leg, "cancelled", now)

    def _acked(self, event: s.Acked, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is None or event.sdp is None:
            return
        if self._take_answer(leg, event.sdp):
            self._set_leg(leg)
        else:
            self.stack.bye(leg.id, reason=reason("not acceptable"), now=now)

    # --- calls that go out ---

    def _progressed(self, event: s.Progressed, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is not None and not leg.rang:
            leg.rang = True
            self._changed.add(leg.id)
            others = [one for one in self._branches.get(leg.side, []) if one != leg.id]
            if not any(one in self.legs and self.legs[one].rang for one in others):
                self.desk.tell(leg.tenant, f.Rang(now, leg.contact, leg.side))

    def _answered(self, event: s.AnsweredCall, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is None:
            return
        if event.sdp is None or not self._take_answer(leg, event.sdp):
            self.stack.bye(leg.id, reason=reason("not acceptable"), now=now)
            return
        leg.established = True
        self._changed.add(leg.id)
        self._set_leg(leg)
        for other in self._branches.get(leg.side, []):
            if other != leg.id and other in self.legs:
                self.stack.cancel(other, reason=reason("answered elsewhere", 200), now=now)
        self._branches[leg.side] = [leg.id]
        self.desk.tell(leg.tenant, f.Answered(now, leg.contact, leg.side))

    def _failed(self, event: s.Failed, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is None:
            return
        self._drop(leg)
        branches = self._branches.get(leg.side, [])
        if leg.id in branches:
            branches.remove(leg.id)
            if not branches and self._over_the_next_trunk(leg, event.status, now):
                return
            if not branches:
                del self._branches[leg.side]
                cause = CAUSES.get(event.status, "failed")
                self.desk.tell(leg.tenant, f.OfferFailed(now, leg.contact, leg.side, cause))

    def _ended(self, event: s.Ended, now: float) -> None:
        self._gone(event.leg, event.why, now)

    def _gone(self, name: str, why: str, now: float) -> None:
        """A dialog is over: its party has left, whoever ended it."""
        leg = self.legs.get(name)
        if leg is None:
            return
        self._drop(leg)
        if leg.echo:
            return
        if leg.side:
            branches = self._branches.get(leg.side, [])
            if name not in branches:
                return
            branches.remove(name)
            if branches:
                return  # other phones of the agent still ring
            del self._branches[leg.side]
        self._hung_up(leg, why, now)

    # --- in the call ---

    def _re_invited(self, event: s.ReInvited, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is None:
            return
        if event.sdp is None:
            self.stack.answer_reinvite(leg.id, self._offer(leg), now=now)  # the answer comes with the ACK
            return
        was_held = leg.held
        if not self._take_offer(leg, event.sdp):
            self.stack.reject_reinvite(leg.id, 488, now=now)
            return
        self.stack.answer_reinvite(leg.id, leg.sdp, now=now)
        self._renewed(leg, was_held, now)

    def _re_answered(self, event: s.Reanswered, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is None:
            return
        was_held = leg.held
        if event.sdp is not None and self._take_answer(leg, event.sdp):
            self._renewed(leg, was_held, now)

    def _referred(self, event: s.Referred, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is None:
            return
        if leg.customer or leg.trunk:
            # Whoever came or was reached from outside can't send us to call others: that is how calls are stolen.
            self.stack.reject_refer(leg.id, 403, now=now)
            return
        if event.replaces is not None:
            self._attended(leg, event, now)
            return
        number, outside = self.settle(leg.tenant, leg.contact, event.refer_to_user, may_call=bool(leg.agent))
        self.desk.tell(leg.tenant, f.TransferAsked(now, leg.contact, leg.side, number, outside))

    def settle(self, tenant: str, contact: str, wanted: str, *, may_call: bool = True) -> tuple[str, bool]:
        """What somebody in a contact typed, as a fact may carry it: (number, is it outside?).

        A number of the house, an agent's id and `queue:ID` pass as they are. A number outside stays here, for the
        `Ring` that follows, and is empty in the fact; what can't be dialled at all passes, and the core refuses it.
        """
        number = self.doors.number_in(tenant, wanted)
        if (
            number is not None
            or wanted in self.settings.tenants[tenant].agents
            or wanted.startswith("queue:")
            or self._parks(tenant, wanted)
        ):
            return number or wanted, False
        if not (may_call and DIALLABLE.match(wanted) and self.doors.way_out(tenant)):
            return wanted, False
        self.keep_number(tenant, contact, wanted)
        if contact not in self._centre(tenant).contacts:
            self._parties.append((tenant, contact, wanted, "", self.desk.now()))
        return "", True

    # --- phones that come and go ---

    def _registered(self, event: s.RegisterReceived, now: float) -> None:
        registered = self.registration.received(event, now)
        if registered is not None and self._stranded:
            self._came_back(*registered, event.flow, now)

    def _peer_unreachable(self, event: s.PeerUnreachable, now: float) -> None:
        self._strand(event.leg)

    def _strand(self, name: str) -> None:
        """The phone's connection broke: it has a while to come back (its audio goes on), then the leg is over.

        Carriers, and phones that never register, close idle connections as they like (RFC 3261 18); what we have to
        say to them opens another, and the session timer notices if they are gone.
        """
        leg = self.legs.get(name)
        if leg is None or not self._registers(leg) or name in self._stranded:
            return
        self._stranded[name] = self.desk.later(PEER_LOST_SECONDS, self._peer_lost, name)
        # It may have come back before we saw the old connection break.
        now = self.desk.now()
        known = {
            one.flow for one in self.registration.bindings(leg.tenant, leg.agent, now) if one.flow.reliable
        }
        if len(known) == 1:
            self._came_back(leg.tenant, leg.agent, known.pop(), now)

    def _registers(self, leg: VoiceLeg) -> bool:
        tenant = self.settings.tenants.get(leg.tenant)
        agent = tenant.agents.get(leg.agent) if tenant is not None else None
        return agent is not None and (agent.sip_password is not None or leg.web)

    def _peer_lost(self, name: str) -> None:
        del self._stranded[name]
        flow = self.stack.flow_of(name)
        if flow is not None and flow.connection:
            return  # heard over another connection meanwhile, though it didn't register there
        if name in self.legs:
            self.stack.bye(name, reason=reason("peer lost"), now=self.desk.now())
            self._gone(name, "peer lost", self.desk.now())
            self.desk.wake()

    def _came_back(self, tenant: str, agent: str, flow: Flow, now: float) -> None:
        """A phone registered again over a new connection: its calls go on there (RFC 5626 4.3)."""
        for name in list(self._stranded):
            leg = self.legs.get(name)
            was = self.stack.flow_of(name)
            if was is None or was.transport != flow.transport:
                continue  # another phone of the same agent
            if leg is not None and leg.tenant == tenant and leg.agent == agent:
                self._stranded.pop(name).cancel()
                self.stack.rebind(name, flow, now=now)


def _via_port(event: s.InviteReceived) -> int | None:
    """The port that the sender's own Via names."""
    match = re.match(
        r"SIP\s*/\s*2\.0\s*/\s*\w+\s+(\[[^\]]+\]|[^:;\s]+)(?:\s*:\s*(\d+))?", event.message.get("via") or ""
    )
    return int(match[2] or 5060) if match is not None else None
