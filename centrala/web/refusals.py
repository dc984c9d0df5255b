"""Why the core refused: each of its sentences as a stable code, so that a page says it in its own language.

`AGENT-REFUSED` carries the code as `reason`, and the core's own sentence as `detail`. A code keeps its meaning for
ever; a sentence may be worded anew. What the core says is read from here alone, and a test holds both together.
"""

from centrala.core.agent import LONGEST_EXTENSION

OTHER = "REFUSED"
"Of a sentence that has no code; a test says that there is none."

REASONS: dict[str, str] = {
    # Calling.
    "This call was asked for already.": "CALL-ASKED",
    "known already": "CALL-ASKED",
    "You are no agent of this centre: calls are made from an agent's phone.": "NO-AGENT",
    "Your phone can't be reached: connect it first.": "PHONE-LOST",
    "You are in a call already.": "IN-CALL",
    "You are in a call.": "IN-CALL",
    "Your phone rings: answer or decline that call first.": "RINGS",
    "This number leads nowhere.": "NUMBER-NOWHERE",
    "Nobody can be called from here.": "NO-CALLS",
    "This customer has no telephone number.": "NO-NUMBER",
    # Callbacks and messages.
    "This callback was asked for already.": "CALL-ASKED",
    "There is no number to call.": "NO-NUMBER",
    "This number isn't called back: it is none, abroad, or has a tariff of its own.": "NUMBER-UNFIT",
    "This time is none.": "TIME-WRONG",
    "They are promised a callback already.": "CALLBACK-THERE",
    "This is no callback or message that waits.": "NOT-OWED",
    "An agent has it just now.": "BEING-DEALT-WITH",
    "They are on the line already.": "ON-LINE",
    "They are being rung already.": "BEING-RUNG",
    "The customer isn't on the line.": "NOT-ON-LINE",
    "not on the line": "NOT-ON-LINE",
    "no such queue": "NO-QUEUE",
    # Waiting callers.
    "They don't wait any more.": "NOT-WAITING",
    "There is no such queue.": "NO-QUEUE",
    "They wait in this queue already.": "SAME-QUEUE",
    "This queue is closed now.": "QUEUE-CLOSED",
    # In a conversation.
    "You have no conversation now.": "NO-CONVERSATION",
    "You are not in this conversation.": "NOT-IN-IT",
    "not in the conversation": "NOT-IN-IT",
    "This is not your conversation: only its owner can do that.": "NOT-YOURS",
    "Your phone holds the call itself: take it off hold there first.": "PHONE-HOLDS",
    "There is nobody else in this conversation.": "ALONE",
    "There is no such number, agent or queue.": "TARGET-UNKNOWN",
    "Their phone can't be reached.": "TARGET-LOST",
    "They are in a call.": "TARGET-BUSY",
    "No call can go there.": "TARGET-CLOSED",
    "Nobody of that queue is free.": "QUEUE-BUSY",
    "Nobody has answered yet.": "NOT-ANSWERED",
    "They haven't answered yet.": "NOT-ANSWERED",
    "The customer is on hold already.": "ON-HOLD",
    "on hold already": "ON-HOLD",
    "The customer is not on hold.": "NOT-ON-HOLD",
    "not on hold": "NOT-ON-HOLD",
    "The customer would be left alone: hand over, or hang up.": "LEFT-ALONE",
    "You are asking somebody: complete or end that first.": "ASKING",
    "You are asking somebody already.": "ASKING",
    "You are asking nobody.": "NOT-ASKING",
    "Choose a reason.": "REASON-MISSING",
    "This queue has nobody above it: choose whom to hand the customer to.": "NOBODY-ABOVE",
    "Others are in the conversation: leave it instead.": "OTHERS-IN-IT",
    "They are not in this conversation.": "THEY-NOT-IN-IT",
    "Nobody is there who could hear them.": "NOBODY-HEARS",
    "Your phone has two calls: change between them there.": "TWO-CALLS",
    # Recordings, and steps that customers take alone.
    "This queue records every conversation: you can pause it.": "RECORDS-ALWAYS",
    "Conversations of this queue are not recorded on demand.": "RECORDS-NOT",
    "Nothing is recorded here.": "NOT-RECORDED",
    "The customer is in a step of their own: wait, or bring them back.": "IN-STEP",
    "Others are in the conversation: they would hear it.": "OTHERS-HEAR",
    "This queue has no such step.": "NO-STEP",
    "This step is not published: tell your administrator.": "STEP-UNPUBLISHED",
    "The customer is with you.": "NOT-IN-STEP",
    # Parking.
    "All parking slots are taken.": "PARKING-FULL",
    "There is no parking in this centre.": "NO-PARKING",
    "They are not parked any more.": "NOT-PARKED",
    "Somebody else is picking them up.": "BEING-PICKED-UP",
    # Supervisors.
    "A supervisor leaves by themselves.": "SUPERVISOR-STAYS",
    "Nobody talks in this contact.": "NOBODY-TALKS",
    "You have no phone here: sign in as an agent, too.": "NO-PHONE",
    "You take part in this conversation.": "IN-IT",
    "There is no such agent.": "NO-SUCH-AGENT",
    "no such agent": "NO-SUCH-AGENT",
    "An agent can't be lent to a queue and taken out of it.": "LENT-BOTH",
    "Rebalancing is off in the settings.": "BALANCING-OFF",
    "This agent isn't lent to this queue.": "NOT-LENT",
    # State and after-call work.
    "signed in already": "SIGNED-IN",
    "signed out": "SIGNED-OUT-OF-QUEUES",
    "not in wrap-up": "NOT-IN-WRAP-UP",
    "You are not in after-call work.": "NOT-IN-WRAP-UP",
    f"After-call work is extended by 1 to {LONGEST_EXTENSION:.0f} seconds.": "EXTENSION",
    "A result is needed first.": "RESULT-MISSING",
    "Choose a result.": "RESULT-MISSING",
    "This queue has no such result.": "RESULT-UNKNOWN",
    "There is no such result in this centre.": "RESULT-UNKNOWN",
    "You are not working on this contact.": "NOT-MINE",
    "The contact isn't yours, or it is over.": "NOT-MINE",
    # Said by telephones, not by pages.
    "no such offer": "OFFER-OVER",
    "answered already": "OFFER-OVER",
    "over already": "CALL-OVER",
}
"What the core, or a route, says → its code."


def code_of(said: str) -> str:
    return REASONS.get(said, OTHER)


def sentence(said: str) -> str:
    """As people are told it."""
    return said if said.endswith(".") else f"This can't be now: {said}."
