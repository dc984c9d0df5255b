"""The voice channel: SIP and media events become facts, commands become dialogs and sound.

    InviteReceived → ContactArrived      Answer → 200 with SDP, a leg in the media worker
    AnsweredCall   → Answered            Ring → INVITE to the agent's phones (the first to answer wins)
    Ended, Cancelled → HungUp            Mix → who hears whom
    ReInvited      → PutOnHold           HangUp, CancelRing, Refuse → BYE, CANCEL, an error
    Referred       → TransferAsked       Record → a two-channel file
    Played, Digit, Recorded → Said, DigitPressed, MessageTaken    Say, Mask, TakeMessage → prompts.py

Nothing here sends: bytes and media commands are collected by the desk and released after the commit.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from centrala.channels.voice import legs as storage
from centrala.channels.voice.book import reason
from centrala.channels.voice.orders import sip_uri, trunk_uri
from centrala.channels.voice.revival import Revival
from centrala.channels.voice.sound import Sound
from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.mix import mix
from centrala.desk import Desk, Held
from centrala.media import messages as m
from centrala.protocols.sip import events as s
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.stack import SipStack
from centrala.settings import Settings, Trunk
from centrala.speech import Speech

log = logging.getLogger(__name__)

UNANSWERED = 2
"OPTIONS in a row without an answer, after which a trunk counts as down; the time-out of each would take 32 s."


SILENT_SECONDS = 60.0
"Without sound from a party that has sent some, after which its phone is asked whether it is still there."


class VoiceChannel(Revival):
    """`received`, `settled`, `flow_closed` from the sockets; `collect` for the desk; commands by its table."""

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        stack: SipStack,
        sound: Sound,
        send: Callable[[Flow, bytes], None],
        new_contact: Callable[[float], str],
        data: Path = Path(),
        speech: Speech | None = None,
    ) -> None:
        super().__init__(settings, desk, stack, sound, send, new_contact)
        self._init_prompts()
        self.speech, self.data = speech, data
        self._asked: dict[tuple[str, str], int] = {}
        desk.outlets.append(self)
        desk.watchers.append(self.keep_parties)
        desk.performers.update(
            {
                c.Answer: self._answer,
                c.RingBack: self._ring_back,
                c.Refuse: self._refuse,
                c.Ring: self._ring,
                c.CancelRing: self._cancel_ring,
                c.Mix: self._mix,
                c.Record: self._record,
                c.StopRecord: self._stop_record,
                c.PauseRecord: self._pause_record,
                c.HangUp: self._hang_up,
                c.AcceptTransfer: self._accept_transfer,
                c.RefuseTransfer: self._refuse_transfer,
                c.Say: self._say,
                c.Hush: self._hush,
                c.Mask: self._mask,
                c.TakeMessage: self._take_message,
                c.EndMessage: self._end_message,
            }
        )

    def received(self, data: bytes, flow: Flow) -> None:
        """One SIP message as it came. `settled` after the last of a bunch. Never raises: others wait behind it."""
        try:
            self.stack.receive(data, flow, self.desk.now())
        except Exception:
            log.exception("ALARM a SIP message over %s could not be taken in", flow.transport)

    def settled(self) -> None:
        self._take_events()
        self.desk.wake()

    def _take_events(self) -> None:
        now = self.desk.now()
        for event in self.stack.take_events():
            try:
                EVENTS[type(event)](self, event, now)
            except Exception:
                log.exception("ALARM what %s means could not be told", type(event).__name__)

    def advance(self) -> None:
        """A deadline of the stack has come."""
        self._armed_for = None
        try:
            self.stack.advance(self.desk.now())
        except Exception:
            log.exception("ALARM a deadline of SIP could not be carried out")
        self.settled()

    def flow_closed(self, flow: Flow) -> None:
        now = self.desk.now()
        self.stack.flow_closed(flow, now)
        if flow.reliable:
            self.registration.flow_closed(flow, now)

    # --- to the desk ---

    def collect(self) -> Held:
        """What changed and what shall leave, for the desk's next commit."""
        self._take_events()  # what our own calls led to
        held = Held(parties=self._parties)
        self._parties = []
        for leg, sip in self.stack.take_changed():
            self._changed.add(leg)
            if sip is None:
                self._sip.pop(leg, None)
            else:
                self._sip[leg] = sip
        for leg in self._changed:
            sip, over = self._sip.get(leg), leg not in self.legs
            voice = self._ending.get(leg) if over else self.legs[leg]
            value = storage.encode(sip, voice, over) if sip is not None and voice is not None else None
            held.dialogs.append((leg, voice.tenant if voice is not None else "", value))
            if sip is None:
                self._ending.pop(leg, None)
        self._changed.clear()
        held.dialogs += self.registration.take_changed()
        outgoing, media = self.stack.take_outgoing(), self.sound.collect()
        if outgoing or media:

            def release() -> None:
                self.sound.release(media)
                for flow, data in outgoing:
                    self._send(flow, data)

            held.release = release
        self._arm()
        return held

    def _arm(self) -> None:
        """Wake up for the stack's next deadline."""
        deadline = self.stack.next_deadline()
        if deadline == self._armed_for:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._armed_for = deadline
        self._alarm = self.desk.at(deadline, self.advance) if deadline is not None else None

    # --- from the media workers ---

    def media_event(self, event: m.Event) -> None:
        now = self.desk.now()
        if self._prompt_event(event):
            return
        match event:
            case m.Recorded():
                leg = event.recording
                tenant = event.path.split("/")[1]
                if event.problem:
                    log.error("ALARM tenant %s: a recording has a problem: %s", tenant, event.problem)
                self.desk.tell(
                    tenant, f.RecordingStored(now, leg, event.path, event.seconds, event.expected_seconds)
                )
            case m.LegFailed():
                log.error("a leg of sound failed: %s", event.why)
                if event.leg in self.legs:
                    self.stack.bye(event.leg, reason=reason("no sound"), now=now)
                    self.settled()
            case m.NotSecured():
                log.warning("a browser's sound couldn't be encrypted: %s", event.why)
                if event.leg in self.legs:
                    self.stack.bye(event.leg, reason=reason("no sound"), now=now)
                    self.settled()
            case m.FirstPacket():
                if event.leg in self.legs:
                    self._sounded.add(event.leg)
            case m.PacketsStopped():
                if event.leg in self._sounded and event.leg not in self._silent:
                    self._silent[event.leg] = self.desk.later(SILENT_SECONDS, self._too_silent, event.leg)
            case m.PacketsResumed():
                waiting = self._silent.pop(event.leg, None)
                if waiting is not None:
                    waiting.cancel()
            case m.Digit():
                self._digit(event)
            case m.FaxTone():
                leg_of_fax = self.legs.get(event.leg)
                log.warning("tenant %s: a fax machine calls, and is treated as any caller",
                            leg_of_fax.tenant if leg_of_fax is not None else "?")  # fmt: skip
            case m.PlayerFailed():
                log.error("a sound can't be played: %s", event.why)
            case m.Refused():
                log.error("the media worker refused %s: %s", event.command, event.why)
            case _:
                pass

    def _too_silent(self, name: str) -> None:
        """A party that sent sound and stopped may have vanished: ask its phone, and ask again while it is silent."""
        self._silent[name] = self.desk.later(SILENT_SECONDS, self._too_silent, name)
        self.stack.probe(name, now=self.desk.now())
        self.settled()

    def _digit(self, event: m.Digit) -> None:
        leg = self.legs.get(event.leg)
        if leg is None or (event.seq and event.seq <= leg.digit):
            return  # told again after a restart
        if self._key(leg, event.digit, event.how):
            leg.digit = event.seq
            self._changed.add(leg.id)
        elif event.how == "event":
            self._pass_on(event.leg, event.digit)  # one that is heard is passed on by being heard

    def _pass_on(self, name: str, digit: str) -> None:
        """A digit of one leg, for everybody who hears it."""
        leg = self.legs.get(name)
        contact = self._centre(leg.tenant).contacts.get(leg.contact) if leg is not None else None
        if leg is None or contact is None or contact.leg is None:
            return
        speaker = contact.id if leg.customer else leg.side
        for listener, row in mix(self._centre(leg.tenant), contact).items():
            other = self._leg_of(contact.id, listener) if row.get(speaker) else None
            if other is not None:
                self.sound.send(other.worker, m.SendDigits(leg=other.id, digits=digit))
                self.desk.wake()

    # --- for pages ---

    def new_contact(self, now: float) -> str:
        """The id of a contact that is about to be asked for (`DialAsked`)."""
        return self._new_contact(now)

    def send_digits(self, tenant: str, contact: str, agent: str, digits: str) -> bool:
        """Send an agent's digits to everybody outside who hears them: the customer, or whom they consult.

        False when the agent is in no such conversation, or nobody outside hears them now.
        """
        centre = self._centre(tenant)
        known, who = centre.contacts.get(contact), centre.agents.get(agent)
        mine = who.calls.get(contact) if who is not None else None
        if known is None or known.leg is None or mine is None:
            return False
        sent = False
        for listener, row in mix(centre, known).items():
            other = self._leg_of(contact, listener) if row.get(mine or contact) else None
            if other is not None and not other.agent:
                self.sound.send(other.worker, m.SendDigits(leg=other.id, digits=digits))
                sent = True
        self.desk.wake()
        return sent

    def numbers(self, tenant: str, contact: str) -> dict[str, str]:
        """Leg → number, of a contact's parties that were reached outside; the customer's leg is the contact's id."""
        known = self._centre(tenant).contacts.get(contact)
        legs = {side: self._leg_of(contact, side) for side in (contact, *known.parties)} if known else {}
        return {
            side: leg.outside for side, leg in legs.items() if leg is not None and leg.trunk and leg.outside
        }

    def _info(self, event: s.InfoReceived, now: float) -> None:
        leg = self.legs.get(event.leg)
        if leg is not None and not self._key(leg, event.digit, "info"):
            self._pass_on(event.leg, event.digit)

    # --- trunks: registration, signs of life ---

    def start_trunks(self) -> None:
        """Register with every carrier that wants it."""
        for tenant in self.settings.tenants.values():
            for trunk in tenant.trunks.values():
                self._start_trunk(tenant.id, trunk)

    def configure(self, settings: Settings) -> None:
        """Go by these settings from now on; calls that are up go on. The core is told by the caller."""
        before, self.settings = self.settings, settings
        self.doors.use(settings)
        now = self.desk.now()
        self.registration.reconsider(before.tenants, now)
        for tenant in settings.tenants.values():
            old = before.tenants[tenant.id].trunks if tenant.id in before.tenants else {}
            for name, trunk in old.items():
                if trunk != tenant.trunks.get(name) and trunk.register is not None:
                    self.stack.unregister(f"{tenant.id}/{name}", now=now)
            for name, trunk in tenant.trunks.items():
                if trunk != old.get(name):
                    self.trunks_down.discard((tenant.id, name))
                    self._start_trunk(tenant.id, trunk)
        self.desk.wake()

    def _start_trunk(self, tenant: str, trunk: Trunk) -> None:
        if trunk.options_interval is not None:
            self._ask_trunk(tenant, trunk)
        wanted = trunk.register
        address = (wanted.registrar or trunk.address) if wanted is not None else None
        if wanted is None or address is None:
            return
        domain = wanted.domain or address[0]
        self.stack.register(
            f"{tenant}/{trunk.id}",
            registrar_uri=sip_uri(address, trunk.transport),
            aor=f"sip:{wanted.user}@{domain}",
            user=wanted.user,
            password=wanted.password.reveal(),
            expires=int(wanted.expires),
            now=self.desk.now(),
        )

    def _ask_trunk(self, tenant: str, trunk: Trunk) -> None:
        """OPTIONS, again and again (RFC 3261 11): does the trunk live? Ends with the trunk's settings."""
        uri = trunk_uri(trunk)
        known = self.settings.tenants.get(tenant)
        if uri is None or trunk.options_interval is None:
            return
        if known is None or known.trunks.get(trunk.id) != trunk:
            return
        asked = self._asked[tenant, trunk.id] = self._asked.get((tenant, trunk.id), 0) + 1
        if asked > UNANSWERED:
            self._trunk_down(tenant, trunk.id, "no answer")
        self.stack.options(f"{tenant}/{trunk.id}", uri, now=self.desk.now())
        self.desk.later(trunk.options_interval, self._ask_trunk, tenant, trunk)
        self.desk.wake()

    def _options_answered(self, event: s.OptionsAnswered, now: float) -> None:
        tenant, _, trunk = event.key.partition("/")
        if event.status not in (408, 503):
            self._asked[tenant, trunk] = 0
            if (tenant, trunk) in self.trunks_down:
                self.trunks_down.discard((tenant, trunk))
                log.warning("ALARM over, tenant %s: trunk %s answers again", tenant, trunk)
        elif self._asked.get((tenant, trunk)):  # else a later one was answered
            self._trunk_down(tenant, trunk, f"status {event.status}")

    def _trunk_down(self, tenant: str, trunk: str, why: str) -> None:
        if (tenant, trunk) not in self.trunks_down:
            self.trunks_down.add((tenant, trunk))
            log.error("ALARM tenant %s: trunk %s doesn't answer OPTIONS: %s", tenant, trunk, why)

    def _trunk_registered(self, event: s.TrunkRegistered, now: float) -> None:
        log.info("trunk %s: registered for %d s", event.trunk, event.expires)

    def _trunk_failed(self, event: s.TrunkRegistrationFailed, now: float) -> None:
        log.error("ALARM trunk %s: registration failed with %d %s", event.trunk, event.status, event.reason)

    def _ignored(self, event: s.SipEvent, now: float) -> None:
        pass


EVENTS: dict[type, Callable[[VoiceChannel, Any, float], None]] = {
    s.InviteReceived: VoiceChannel._invite,
    s.Cancelled: VoiceChannel._cancelled,
    s.Withdrawn: VoiceChannel._ignored,
    s.Acked: VoiceChannel._acked,
    s.Progressed: VoiceChannel._progressed,
    s.AnsweredCall: VoiceChannel._answered,
    s.Failed: VoiceChannel._failed,
    s.Ended: VoiceChannel._ended,
    s.ReInvited: VoiceChannel._re_invited,
    s.Reanswered: VoiceChannel._re_answered,
    s.Referred: VoiceChannel._referred,
    s.TransferProgressed: VoiceChannel._ignored,
    s.InfoReceived: VoiceChannel._info,
    s.PeerUnreachable: VoiceChannel._peer_unreachable,
    s.RegisterReceived: VoiceChannel._registered,
    s.OptionsAnswered: VoiceChannel._options_answered,
    s.TrunkRegistered: VoiceChannel._trunk_registered,
    s.TrunkRegistrationFailed: VoiceChannel._trunk_failed,
    s.MessageRejected: VoiceChannel._ignored,
}
