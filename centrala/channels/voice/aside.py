"""Calls that phones make beside a conversation: a second one to consult by, one into a parking slot, one that takes
the place of another (RFC 3891).

Each becomes a leg of the contact that it is about, CONTACT.ID; a contact of its own it never is. Whose dialog may be
taken or joined is judged by whose phone it is: nobody but the agent themself can name it.
"""

import logging

from centrala.channels.voice.book import reason
from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.orders import Orders
from centrala.core import facts as f
from centrala.core.contact import destination
from centrala.core.second import may_ask
from centrala.protocols.sip import events as s
from centrala.protocols.sip import sdp

log = logging.getLogger(__name__)

OVERLOAD_RETRY = 5
"Seconds in Retry-After of a 503."

ALONE = ("music", "flow", "hang_up")
"Destinations that answer by themselves: a call to one is no consultation."


class Aside(Orders):
    def _beside_a_conversation(
        self, event: s.InviteReceived, tenant: str, agent: str, number: str, outside: bool, now: float
    ) -> bool:
        """Take a call of an agent's phone that is about a contact that there is; False: it begins one of its own."""
        centre = self._centre(tenant)
        if number in centre.parking.slots:
            parked = centre.parked.get(number)
            if parked is None:
                self.stack.refuse(event.key, 404, now=now)
            else:
                leg = self._adopt_beside(event, tenant, parked, agent, now)
                if leg is not None:
                    self.desk.tell(tenant, f.SlotCalled(now, parked, leg.side, agent))
            return True
        if self._parks(tenant, number):
            self.stack.refuse(event.key, 404, now=now)  # somebody is transferred to it, it can't be called
            return True
        owned = self._on_hold(tenant, agent)
        to = None if outside else destination(centre, number)
        if owned is None or (to is not None and to.kind in ALONE):
            return False
        leg = self._adopt_beside(event, tenant, owned, agent, now)
        if leg is not None:
            if outside:
                self.keep_number(tenant, owned, number)
            asks = f.SecondCall(now, owned, leg.side, agent, "" if outside else number, outside)
            self.desk.tell(tenant, asks)
        return True

    def _parks(self, tenant: str, number: str) -> bool:
        """Whether a number is one of the parking's, and so of the house."""
        spec = self._centre(tenant).parking
        return bool(spec.slots) and (number in spec.slots or number == spec.number)

    def _on_hold(self, tenant: str, agent: str) -> str | None:
        """The conversation of this agent whose customer is on hold, by the phone or by button, with nobody asked."""
        centre = self._centre(tenant)
        known = centre.agents.get(agent)
        for name, mine in known.calls.items() if known is not None else ():
            contact, leg = centre.contacts.get(name), self._other(mine) if mine else None
            if contact is None or leg is None:
                continue
            if may_ask(centre, contact, agent):
                return name
            free = contact.consult is None and contact.second is None
            if leg.held and contact.state == "active" and contact.leg == mine and free:
                return name  # what its phone has just said is still on its way to the core
        return None

    def _adopt_beside(
        self, event: s.InviteReceived, tenant: str, contact: str, agent: str, now: float
    ) -> VoiceLeg | None:
        """A leg of a contact that there is, for a call that came in; None: it has got its answer."""
        beside = self._beside(tenant, contact)
        port = self.sound.take_port(beside.worker) if beside is not None and not self.desk.degraded else None
        if beside is None or port is None:
            self.refused += 1
            self.stack.refuse(event.key, 503, headers=[("Retry-After", str(OVERLOAD_RETRY))], now=now)
            return None
        name = f"{contact}.{self._new_contact(now)}"
        leg = VoiceLeg(name, tenant, contact, name, beside.worker, port, user=agent, agent=agent, inward=True)
        leg.display = event.from_display
        if event.sdp is None:
            self._offer(leg)  # the answer comes with the ACK
        elif not self._take_offer(leg, event.sdp):
            self.sound.release_port(leg.worker, port)
            self.stack.refuse(event.key, 488, now=now)
            return None
        if not self.stack.adopt(event.key, name, now=now):
            self.sound.release_port(leg.worker, port)
            return None
        self.legs[name] = leg
        self._branches[name] = [name]
        self._changed.add(name)
        return leg

    # --- REFER with Replaces ---

    def _attended(self, leg: VoiceLeg, event: s.Referred, now: float) -> None:
        """A phone joins the other ends of its two calls."""
        assert event.replaces is not None
        other = self.legs.get(event.replaces.leg or "")
        if other is None or other.id == leg.id or (other.tenant, other.agent) != (leg.tenant, leg.agent):
            self.stack.reject_refer(leg.id, 403 if other is not None else 481, now=now)
            return
        if other.contact == leg.contact:
            self.desk.tell(leg.tenant, f.AttendedAsked(now, leg.contact, leg.side))
            return
        # The second call went to a menu or to music: the customer goes there as by a blind transfer.
        there = self._centre(leg.tenant).contacts.get(other.contact)
        if there is None or there.leg is not None or not other.customer:
            self.stack.reject_refer(leg.id, 603, now=now)
            return
        self.desk.tell(leg.tenant, f.TransferAsked(now, leg.contact, leg.side, there.dialled))

    # --- INVITE with Replaces ---

    def _replaced(self, event: s.InviteReceived, tenant: str, agent: str, now: float) -> None:
        """Another phone of the same agent takes a call over, or answers what rings at the others (RFC 3891, 3)."""
        assert event.replaces is not None
        leg = self.legs.get(event.replaces.leg or "")
        status = 0
        if leg is None or leg.echo:
            status = 481
        elif (leg.tenant, leg.agent) != (tenant, agent) or leg.trunk:
            status = 403
        elif not leg.established and leg.inward:
            status = 481  # a call that the phone itself makes, not one that rings
        elif leg.established and event.replaces.early_only:
            status = 486
        elif event.sdp is None or leg.web or sdp.is_web(event.sdp):
            status = 488  # what is encrypted stays so: between a page and a telephone calls are transferred
        if status or leg is None:
            self.stack.refuse(event.key, status, now=now)
            return
        if not leg.established and not leg.customer:
            self._answered_elsewhere(event, leg, now)
            return
        held = leg.held
        if leg.established and self._supplant(event, leg, now):
            self._renewed(leg, held, now)
        elif not leg.established:
            self.stack.refuse(event.key, 481, now=now)

    def _answered_elsewhere(self, event: s.InviteReceived, rings: VoiceLeg, now: float) -> None:
        """A phone that didn't ring answers instead of those that do."""
        branches = self._branches.get(rings.side, [])
        port = self.sound.take_port(rings.worker)
        if port is None or not branches:
            if port is not None:
                self.sound.release_port(rings.worker, port)
            self.stack.refuse(event.key, 503 if branches else 481, now=now)
            return
        name = f"{rings.side}/{self._new_contact(now)}"
        leg = VoiceLeg(
            name, rings.tenant, rings.contact, rings.side, rings.worker, port, agent=rings.agent, inward=True
        )
        assert event.sdp is not None
        fits = self._take_offer(leg, event.sdp)
        if not fits or not self.stack.adopt(event.key, name, now=now):
            self.sound.release_port(leg.worker, port)
            self.stack.refuse(event.key, 488, now=now)
            return
        leg.established = True
        self.legs[name] = leg
        self._changed.add(name)
        self._set_leg(leg)
        self.stack.respond(name, 200, sdp=leg.sdp, now=now)
        for other in branches:
            if other in self.legs:
                self.stack.cancel(other, reason=reason("answered elsewhere", 200), now=now)
        self._branches[leg.side] = [name]
        self.desk.tell(leg.tenant, f.Answered(now, leg.contact, leg.side))

    def _renewed(self, leg: VoiceLeg, was_held: bool, now: float) -> None:
        """What was agreed on has changed: sound goes by it, and the core hears of a hold."""
        self._set_leg(leg)
        if leg.held != was_held and not leg.customer and leg.established:
            kind = f.PutOnHold if leg.held else f.TakenOffHold
            self.desk.tell(leg.tenant, kind(now, leg.contact, leg.side))
