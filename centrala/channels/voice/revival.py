"""After a restart, and after the death of a media worker: take up what goes on, state anew what shall be."""

import logging
from collections.abc import Mapping

import msgspec

from centrala.channels.voice import legs as storage
from centrala.channels.voice.calls import Calls
from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.prompts import MESSAGE
from centrala.channels.voice.registration import STORED
from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.mix import mix
from centrala.core.state import Contact
from centrala.media import messages as m
from centrala.protocols.sip.leg import decode as decode_leg

log = logging.getLogger(__name__)

BACK_WITHIN = 30.0
"Seconds within which a phone whose connection ended with the last run must have registered again."


class Revival(Calls):
    # --- the application died ---

    def restore(self, stored: Mapping[str, bytes], holds: Mapping[int, m.Holds]) -> None:
        """Take up what the last run left: dialogs and bindings from the ledger, sound in the workers.

        `holds`: what each worker has. Call `again` for each tenant when its centre is back.
        """
        now = self.desk.now()
        sip: dict[str, bytes] = {}
        bindings: dict[str, bytes] = {}
        for key, value in stored.items():
            if key.startswith(STORED):
                bindings[key] = value
                continue
            try:
                kept = storage.decode(value)
            except msgspec.MsgspecError:
                log.error("a stored call can't be read and is dropped")
                self._changed.add(key)
                continue
            try:
                self.stack.restore({key: kept.sip}, now)
            except ValueError as problem:
                log.error("a stored call can't be read and is dropped: %s", problem)
                self._changed.add(key)
                continue
            self._sip[key] = sip[key] = kept.sip
            if kept.over:
                self._ending[key] = kept.voice
                continue
            self.legs[key] = kept.voice
            self._take_up_mask(kept.voice)
            if kept.voice.side:
                self._branches.setdefault(kept.voice.side, []).append(key)
            if kept.voice.trunk:
                trunk = (kept.voice.tenant, kept.voice.trunk)
                self.trunk_calls[trunk] = self.trunk_calls.get(trunk, 0) + 1
        for side, names in self._branches.items():
            # Of an agent's phones that rang, one was first; the others are being cancelled.
            self._branches[side] = [name for name in names if self.legs[name].established] or names
        for leg in self.legs.values():
            tenant = self.settings.tenants.get(leg.tenant)
            over = tenant.trunks.get(leg.trunk) if tenant is not None else None
            if leg.side and over is not None and over.register is not None:
                self.stack.credentials(leg.id, over.register.user, over.register.password.reveal())
        self.registration.restore(bindings, now)
        for name, kept_sip in sip.items():
            if decode_leg(kept_sip).flow.reliable:
                self._strand(name)  # its connection died with the last run
        for worker, held in holds.items():
            self._take_up_sound(worker, held)

    def again(self, tenant: str, worker: int | None = None) -> None:
        """State anew what every contact of the tenant should hear, and tell what is gone."""
        now = self.desk.now()
        centre = self._centre(tenant)
        for contact in list(centre.contacts.values()):
            if contact.state == "wrap_up":
                continue
            customer = self._leg_of(contact.id)
            if customer is None and contact.customer:
                self.desk.tell(tenant, f.HungUp(now, contact.id, "", "lost"))
                continue
            beside = self._beside(tenant, contact.id)
            if worker is not None and beside is not None and beside.worker != worker:
                continue
            for side in [*contact.offers, *contact.parties, *_second(contact)]:
                if side not in self._branches:
                    self.desk.tell(tenant, f.HungUp(now, contact.id, side, "lost"))
            self._sound_again(tenant, contact)
        for leg in list(self.legs.values()):
            about = centre.contacts.get(leg.contact)
            wanted = about is not None and (
                leg.side in about.offers
                or leg.side in about.parties
                or leg.side in _second(about)
                or (leg.customer and about.customer)
            )
            over = not wanted
            if leg.tenant == tenant and over:
                self._branches.pop(leg.side, None)
                self._end(leg, "lost", now)

    def await_phones(self, tenant: str) -> None:
        """Phones over TCP, TLS and WS lost their connection with the last run, by no fault of theirs.

        Their agents keep their state for `BACK_WITHIN`, in which the phone can register anew (RFC 5626 4.5); who isn't
        back by then is gone. Nothing can ring there meanwhile: an offer fails at once and goes on.
        """
        now = self.desk.now()
        for name, agent in self._centre(tenant).agents.items():
            known = agent.spec.fixed_phone or self.registration.bindings(tenant, name, now)
            if agent.reachable and not known:
                self.desk.later(BACK_WITHIN, self._say_phone, tenant, name)

    def _say_phone(self, tenant: str, name: str) -> None:
        self.registration.say(tenant, name, self.desk.now())

    def _sound_again(self, tenant: str, contact: Contact) -> None:
        told = [contact.briefing.leg] if contact.briefing is not None else []
        for side in ["", *contact.parties, *_second(contact), *told]:
            leg = self._leg_of(contact.id, side)
            if leg is not None and leg.established:
                self._set_leg(leg)
        hears = mix(self._centre(tenant), contact)
        if hears:
            self._mix(tenant, c.Mix(contact.id, hears))
        if contact.recorded and contact.leg is not None:
            self._record(tenant, c.Record(contact.id, contact.leg))
            if contact.pause is not None:
                self._pause_record(tenant, c.PauseRecord(contact.id, True))
        self._flow_again(tenant, contact)

    # --- a media worker died ---

    def worker_lost(self, worker: int) -> None:
        self.sound.forget(worker)

    def worker_ready(self, worker: int, held: m.Holds) -> None:
        """A worker is there again: the same one, or a new one in place of one that died."""
        self.desk.catch_up()  # calls that have just come in are no strays
        self._take_up_sound(worker, held)
        for tenant in self.desk.mailboxes:
            self.again(tenant, worker)
        self.desk.wake()

    def _take_up_sound(self, worker: int, held: m.Holds) -> None:
        for name in held.legs:
            if name not in self.legs:
                self.sound.send(worker, m.CloseLeg(leg=name))
        self._take_up_flows(worker, held)
        callers = {leg.contact for leg in self.legs.values() if leg.customer}
        for recording in held.recordings:
            if recording not in callers and not recording.startswith(MESSAGE):
                self.sound.send(worker, m.StopRecording(recording=recording))
        for leg in list(self.legs.values()):
            if leg.worker != worker:
                continue
            if leg.id not in held.legs:
                leg.digit = 0  # another worker, which counts anew
            if leg.id in held.legs or not leg.established:
                self.sound.workers[worker].claim_port(leg.port)
            else:
                self._rejoin(leg)

    def _rejoin(self, leg: VoiceLeg) -> None:
        """Give a leg whose worker died another port, and tell the phone by re-INVITE."""
        port = self.sound.take_port(leg.worker)
        if port is None:
            log.error("no media port is free to re-join a call")
            return
        leg.port = port
        self._changed.add(leg.id)
        if leg.established:
            self.stack.reinvite(leg.id, self._offer(leg), now=self.desk.now())
            self._set_leg(leg)


def _second(contact: Contact) -> tuple[str, ...]:
    """The leg of the owner's second call, where there is one."""
    return (contact.second.leg,) if contact.second is not None else ()
