"""Who hears whom: the one truth, for the media worker, for recovery and for live views.

`mix(centre, contact)` is the whole matrix of a contact: listening leg → what it hears → gain. The rules:

* Two lanes. The customer's: the customer, the members of a conference, supervisors who barged in, and the owner while
  the contact is active. The consultation: the one who is asked, and the owner while the customer is held.
* In a lane everybody hears everybody else. Whoever is alone in one hears music.
* A supervisor who listens hears the lane the owner is in, and is heard by nobody; one who whispers is heard by the
  owner too, and by nobody else.
* Whoever waits hears music, or an announcement instead.
* In a flow the customer hears the prompt that plays, and nothing else; an owner who waits for them hears music.
* An agent who is told who waits hears that, and the customer hears music on.
* An owner whose phone has a second call is in the consultation by that one, and in the customer's lane by the first;
  once whoever was asked has joined, by either that the phone doesn't hold.
* Who is parked hears the music of the queue they came from.
* A muted party is heard by nobody. A party whose own phone holds us is in no lane and hears nothing.
"""

from centrala.core.commands import Hears
from centrala.core.state import Centre, Contact, Party, joins

RINGBACK = "sound:tone:ringback"
"A sound as a source is `sound:` and its name: that of a queue's music, `tone:ringback`, `silence`."


def music(centre: Centre, queue: str | None) -> str:
    known = centre.queues.get(queue) if queue is not None else None
    return f"sound:{known.spec.music if known is not None else 'default'}"


def bridge(one: str, other: str) -> Hears:
    """Two who hear each other, and nothing else."""
    return {one: {other: 1.0}, other: {one: 1.0}}


def mix(centre: Centre, contact: Contact) -> Hears:
    """The whole matrix of a contact; every leg that we have answered or that has answered us is in it."""
    if contact.state == "wrap_up":
        return {}
    if not contact.answered:
        return {}
    if contact.state == "flow" and contact.run is not None:
        said = {f"prompt:{contact.run.awaited}": 1.0} if contact.run.waits == "prompt" else {}
        if contact.interlude is None:
            return {contact.id: said}
        return _while_away(centre, contact) | {contact.id: said}
    if contact.state in ("active", "held"):
        if contact.leg is not None and contact.absent:  # the owner of a message, alone
            hears = contact.announcing and not contact.parties[contact.leg].held
            return {contact.leg: {f"prompt:{contact.announcing}": 1.0} if hears else {}}
        if contact.leg is not None:
            return _conversation(centre, contact)
        name = contact.target.name if contact.target is not None else "default"
        return {contact.id: {f"sound:{name}": 1.0}}
    waits = contact.id if contact.leg is None else contact.leg  # the owner, while whom they call is rung
    if contact.briefing is not None:
        told = {contact.briefing.leg: {f"prompt:{contact.briefing.prompt}": 1.0}}
        return {waits: {music(centre, contact.queue): 1.0}, **told}
    if contact.announcing:
        return {waits: {f"prompt:{contact.announcing}": 1.0}}
    if contact.queue is not None:
        return {waits: {music(centre, contact.queue): 1.0}}
    if contact.slot:
        return {contact.id: {music(centre, contact.back_queue): 1.0}}
    return {waits: {RINGBACK: 1.0}}


def _conversation(centre: Centre, contact: Contact) -> Hears:
    customer, owner = contact.id, contact.leg
    parties = contact.parties
    assert owner is not None
    me = parties[owner]
    if len(parties) == 1 and contact.state == "active" and not (me.held or me.muted):
        return bridge(customer, owner)
    here = not me.held
    ours = [customer, *(leg for leg, one in parties.items() if joins(one) and not one.held)]
    asked = contact.consult
    theirs = [asked.leg] if asked is not None and asked.state == "talking" and not asked.held else []
    active = contact.state == "active"
    second = contact.second
    other = second.leg if second is not None and second.talking else ""
    if second is None:
        if here:
            (ours if active else theirs).append(owner)
    else:
        if here and active:
            ours.append(owner)
        if other and not second.held and asked is not None:
            theirs.append(other)
        elif other and not second.held and owner not in ours:
            ours.append(other)
    muted = {leg for leg, one in parties.items() if one.muted}
    if me.muted:
        muted.add(other)
    hears: Hears = {leg: {} for leg, one in parties.items() if one.state == "talking"}
    if other:
        hears[other] = {}
    waiting = music(centre, contact.leg_queue)
    for lane in (ours, theirs):
        for leg in lane:
            hears[leg] = {one: 1.0 for one in lane if one != leg and one not in muted}
        if len(lane) == 1:
            hears[lane[0]] = {waiting: 1.0}
    if second is not None:
        _supervise(contact, hears, theirs if other in theirs and not (here and active) else ours, other)
        return hears
    if here and not active and asked is None:
        hears[owner] = {}  # the customer is on hold by button: silence, not music
    elif here and not active and asked is not None and asked.state == "ringing":
        hears[owner] = {RINGBACK: 1.0}
    _supervise(contact, hears, ours if active or not here else theirs)
    return hears


def _while_away(centre: Centre, contact: Contact) -> Hears:
    """What the others hear while the customer is in a flow: the owner music, those who listen to the owner nothing."""
    hears: Hears = {leg: {} for leg, one in contact.parties.items() if one.state == "talking"}
    owner = contact.leg
    if owner is not None and not contact.parties[owner].held:
        hears[owner] = {music(centre, contact.leg_queue): 1.0}
    return hears


def _supervise(contact: Contact, hears: Hears, lane: list[str], other: str = "") -> None:
    """What those who listen and whisper hear, and who hears them. `lane`: where the owner is, else the customer's.

    `other`: the owner's second call, where it talks.
    """
    owner = contact.leg
    assert owner is not None
    me = contact.parties[owner]
    if other in lane:
        owner = other
    voices = {
        leg: 1.0 for leg in lane if not (me.muted if leg == owner else _muted(contact.parties.get(leg)))
    }
    if len(lane) == 1:
        voices |= hears[lane[0]]
    for leg, one in contact.parties.items():
        if one.role != "supervisor" or one.state != "talking" or one.held or joins(one):
            continue
        hears[leg] = dict(voices)
        if one.mode == "whisper" and owner in lane and not one.muted:
            hears[owner][leg] = 1.0


def _muted(party: Party | None) -> bool:
    return party is not None and party.muted
