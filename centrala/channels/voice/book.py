"""The book of legs: what every part of the voice channel shares. SDP, sound, and the end of a leg."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence

from centrala.channels.voice.doors import Doors
from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.registration import Registration
from centrala.channels.voice.sound import Sound
from centrala.core.events import ContactBegan, Event
from centrala.core.private import Private
from centrala.core.state import Centre
from centrala.customers.arriving import NOBODY, Acquaintance, Arriving
from centrala.desk import Desk
from centrala.media import messages as m
from centrala.protocols.sip import sdp
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.stack import SipStack
from centrala.settings import Settings

log = logging.getLogger(__name__)

REFUSALS = {
    "not_found": 404,
    "busy": 486,
    "unavailable": 480,
    "no_answer": 480,
    "declined": 603,
    "unreachable": 480,
    "failed": 500,
}
"Causes of the core as SIP statuses."


class LegBook:
    """All legs of all tenants, by id. A leg's id is the same in SIP, in the media worker and here."""

    def __init__(
        self, settings: Settings, desk: Desk, stack: SipStack, sound: Sound, send: Callable[[Flow, bytes], None],
        new_contact: Callable[[float], str],
    ) -> None:  # fmt: skip
        self.settings = settings
        self.desk = desk
        self.stack = stack
        self.sound = sound
        self.doors = Doors(settings)
        self.registration = Registration(self.doors, stack, desk.tell)
        self.legs: dict[str, VoiceLeg] = {}
        self.trunk_calls: dict[tuple[str, str], int] = {}
        self.trunks_down: set[tuple[str, str]] = set()
        "(tenant, trunk) of those whose OPTIONS go unanswered."
        self.refused = 0
        "Calls turned away by overload or full disk."
        self.overloaded: Callable[[], bool] = lambda: False
        self.acquaint: Arriving | None = None
        "Who calls; given by the composition root."
        self._send = send
        self._new_contact = new_contact
        self._branches: dict[str, list[str]] = {}
        self._wanted: dict[str, str] = {}
        "Contact → number outside that shall be rung next."
        self._sip: dict[str, bytes] = {}
        self._changed: set[str] = set()
        self._parties: list[tuple[str, str, str, str, float]] = []
        self._ending: dict[str, VoiceLeg] = {}
        "Legs that we have hung up, until the peer has taken note: their BYE or CANCEL survives a restart."
        self._stranded: dict[str, asyncio.TimerHandle] = {}
        self._sounded: set[str] = set()
        "Legs whose party has sent sound."
        self._silent: dict[str, asyncio.TimerHandle] = {}
        self._armed_for: float | None = None
        self._alarm: asyncio.TimerHandle | None = None

    # --- numbers of parties, which the core never sees ---

    def acquainted(self, tenant: str, address: str, now: float) -> Acquaintance:
        """What is known of a number that calls, or is called."""
        return NOBODY if self.acquaint is None else self.acquaint.of(tenant, address, now)

    def pseudonym(self, tenant: str, address: str) -> str:
        return "" if self.acquaint is None else self.acquaint.pseudonym(tenant, address)

    def _address(self, tenant: str, party: str) -> str:
        """The number of a party, whose row may not be written down yet."""
        for one, name, address, _, _ in self._parties:
            if (one, name) == (tenant, party):
                return address
        found = self.acquaint.address(tenant, party) if self.acquaint is not None else None
        leg = self._leg_of(party)
        return found or (leg.outside or leg.user if leg is not None and leg.tenant == tenant else "")

    def _promised(self, tenant: str, number: Private | None, party: str) -> str:
        """The number at which somebody was promised a call; empty where it is not known, or may not be called.

        Who shows a number of a high tariff and rings off would have us pay for it: a party's own number is judged
        here, one that was typed was judged when it was typed.
        """
        if number is not None and number.value is not None:
            return str(number.value)
        address = self._address(tenant, party)
        return self.acquaint.dialable(tenant, address) if self.acquaint is not None and address else ""

    def keep_parties(self, tenant: str, centre: Centre, events: Sequence[Event]) -> None:
        """A watcher of the desk's: a contact that is owed to somebody has their number as its party's, too."""
        for event in events:
            if type(event) is ContactBegan and event.owed and (event.number or event.party != event.contact):
                typed = event.number.value if event.number is not None else None
                address = str(typed) if typed else self._address(tenant, event.party)
                if address:
                    self._parties.append((tenant, event.contact, address, "", event.at))

    def _centre(self, tenant: str) -> Centre:
        return self.desk.mailboxes[tenant].centre

    def _other(self, side: str) -> VoiceLeg | None:
        names = self._branches.get(side)
        return self.legs.get(names[0]) if names else None

    def _leg_of(self, contact: str, leg: str = "") -> VoiceLeg | None:
        """A party's leg as it is on the wire; the customer's where `leg` is empty or the contact's id."""
        if leg in ("", contact):
            return self._other(contact) or self.legs.get(contact)
        return self._other(leg)

    def _beside(self, tenant: str, contact: str) -> VoiceLeg | None:
        """Any leg that the contact has: all of them live in one media worker, or they couldn't hear each other."""
        customer = self._leg_of(contact)
        if customer is not None:
            return customer
        known = self._centre(tenant).contacts.get(contact)
        return self._leg_of(contact, known.leg) if known is not None and known.leg is not None else None

    def _end(self, leg: VoiceLeg, why: str, now: float) -> None:
        """End a leg in whatever state it is; its end is no news to the core."""
        self._drop(leg)
        if leg.established:
            self.stack.bye(leg.id, reason=reason(why) if why else None, now=now)
        elif leg.side and not leg.inward:
            self.stack.cancel(leg.id, now=now)
        else:
            self.stack.respond(leg.id, 480, now=now)

    def _drop(self, leg: VoiceLeg) -> None:
        """Forget a leg; its sound ends, and the recording with the caller."""
        del self.legs[leg.id]
        self._ending[leg.id] = leg
        self._sounded.discard(leg.id)
        for waiting in (self._stranded, self._silent):
            handle = waiting.pop(leg.id, None)
            if handle is not None:
                handle.cancel()
        self._changed.add(leg.id)
        if leg.trunk:
            self.trunk_calls[leg.tenant, leg.trunk] -= 1
        if leg.customer:
            self.sound.send(leg.worker, m.StopRecording(recording=leg.contact))
        self.sound.send(leg.worker, m.CloseLeg(leg=leg.id))
        self.sound.release_port(leg.worker, leg.port)

    # --- SDP (RFC 3264) ---

    def _offer(self, leg: VoiceLeg) -> str:
        return self._said(leg, lambda local: sdp.offer(local))

    def _take_offer(self, leg: VoiceLeg, text: str) -> bool:
        """Agree on what the peer offers, `leg.sdp` is our answer; False when there is nothing to agree on."""
        web = sdp.is_web(text)
        if web != leg.web and leg.sdp:
            return False  # a browser stays one
        leg.web = web
        try:
            if web and sdp.answer(text, self._local(leg))[1].ufrag != leg.peer_ufrag:
                leg.ufrag = ""  # an ICE restart is one of both sides (RFC 8839, 4.4.3)
            self._said(leg, lambda local: sdp.answer(text, local)[0])
            self._agree(leg, sdp.answer(text, self._local(leg))[1])
        except sdp.SdpError:
            return False
        return True

    def _take_answer(self, leg: VoiceLeg, text: str) -> bool:
        try:
            self._agree(leg, sdp.accept(text, self._local(leg)))
        except sdp.SdpError:
            return False
        return True

    def _said(self, leg: VoiceLeg, write: Callable[[sdp.LocalMedia], str]) -> str:
        """Our next description: under the version of the last one if nothing changed (RFC 3264 5)."""
        text = write(self._local(leg))
        if leg.sdp and text != leg.sdp:
            leg.version += 1
            text = write(self._local(leg))
        leg.sdp = text
        self._changed.add(leg.id)
        return text

    def _local(self, leg: VoiceLeg) -> sdp.LocalMedia:
        web = None
        if leg.web:
            self._draw_secrets(leg)
            web = sdp.LocalWeb(leg.ufrag, leg.password, leg.ours, leg.mid)
        return sdp.LocalMedia(
            address=self.sound.advertised,
            port=leg.port,
            session_id=int(leg.contact[:11], 16),
            version=leg.version,
            web=web,
            codecs=self._codecs(leg),
        )

    def _codecs(self, leg: VoiceLeg) -> tuple[str, ...]:
        opus = self.settings.listen.media.browser_codec == "opus" and self.sound.workers[leg.worker].opus
        return ("OPUS", "PCMA", "PCMU") if leg.web and opus else ("PCMA", "PCMU")

    def _draw_secrets(self, leg: VoiceLeg) -> None:
        """Credentials for ICE; new ones when none are there, or when another worker has the leg now."""
        ours = self.sound.workers[leg.worker].fingerprint
        if not ours:
            raise sdp.SdpError("the media worker takes no browsers now")
        if not leg.ufrag or leg.ours != ours:
            leg.ufrag, leg.password, leg.ours = secrets.token_hex(4), secrets.token_hex(16), ours
            self._changed.add(leg.id)

    def _agree(self, leg: VoiceLeg, agreed: sdp.Negotiated) -> None:
        leg.remote = None if leg.web else (agreed.address, agreed.port)
        leg.peer_ufrag, leg.fingerprint = agreed.ufrag, agreed.fingerprint
        leg.mid = agreed.mid or leg.mid
        leg.codec = agreed.codec.lower()
        leg.pcma = agreed.payloads.get("PCMA", 8)
        leg.pcmu = agreed.payloads.get("PCMU", 0)
        leg.opus = agreed.payloads.get("OPUS", -1)
        leg.dtmf = -1 if agreed.events_payload is None else agreed.events_payload
        leg.receive, leg.send = agreed.direction.receives, agreed.direction.sends
        leg.mux, leg.held = agreed.rtcp_mux, agreed.held
        self._changed.add(leg.id)

    # --- sound ---

    def _set_leg(self, leg: VoiceLeg) -> None:
        self.sound.send(leg.worker, leg.set_leg())


def reason(text: str, cause: int = 16) -> str:
    """A Reason header (RFC 3326); 16 is normal call clearing of Q.850."""
    protocol = "SIP" if cause >= 100 else "Q.850"
    return f'{protocol};cause={cause};text="{text}"'
