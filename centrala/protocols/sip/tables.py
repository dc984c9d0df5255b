"""The four transaction machines of RFC 3261 17 with RFC 6026, as tables: (state, input) -> (state, actions).

Timers are named by their letters. A timer of the table that has no meaning over a reliable transport (A, E, G)
is never started there, and the waits for stray repeats (D, I, J, K) are of no length.
"""

from enum import IntEnum


class State(IntEnum):
    CALLING = 1
    TRYING = 2
    PROCEEDING = 3
    ACCEPTED = 4
    COMPLETED = 5
    CONFIRMED = 6
    TERMINATED = 7


class Input(IntEnum):
    """What can happen to a transaction: from the wire, from its user, or in time."""

    REQUEST = 1
    """The same request again, from the wire."""
    ACK = 2
    PROVISIONAL = 3
    """1xx: from the wire (client) or from the user (server)."""
    SUCCESS = 4
    FAILURE = 5
    """300-699."""
    BROKEN = 6
    """The transport has failed."""
    TIMER_A = 10
    TIMER_B = 11
    TIMER_D = 12
    TIMER_E = 13
    TIMER_F = 14
    TIMER_G = 15
    TIMER_H = 16
    TIMER_I = 17
    TIMER_J = 18
    TIMER_K = 19
    TIMER_L = 20
    TIMER_M = 21


class Act(IntEnum):
    """What the machine asks of the layer that drives it."""

    DELIVER = 1
    """Hand the message to the transaction user."""
    SEND = 2
    """Send the user's response, and keep it as the last one."""
    RESEND = 3
    """Send the request (client) or the last response (server) again."""
    SEND_ACK = 4
    """ACK a response of 300-699, in this transaction."""
    TIMED_OUT = 5
    UNREACHABLE = 6
    START_A = 10
    """START_x: set the timer; doubling for A, E, G is the layer's."""
    START_D = 12
    START_E = 13
    START_G = 15
    START_H = 16
    START_I = 17
    START_J = 18
    START_K = 19
    START_L = 20
    START_M = 21


S, I, A = State, Input, Act  # noqa: E741
Step = tuple[State, tuple[Act, ...]]


def invite_client(state: State, happened: Input) -> Step | None:
    """RFC 3261 figure 5, with RFC 6026 figure "INVITE client transaction". None: ignored.

    Calling -1xx-> Proceeding -2xx-> Accepted -M-> Terminated; Calling/Proceeding -3xx..6xx-> Completed -D-> Terminated.
    """
    match state, happened:
        case S.CALLING, I.TIMER_A:
            return S.CALLING, (A.RESEND, A.START_A)
        case S.CALLING, I.TIMER_B:
            return S.TERMINATED, (A.TIMED_OUT,)
        case ((S.CALLING | S.PROCEEDING), I.BROKEN):
            return S.TERMINATED, (A.UNREACHABLE,)
        case ((S.CALLING | S.PROCEEDING), I.PROVISIONAL):
            return S.PROCEEDING, (A.DELIVER,)
        case ((S.CALLING | S.PROCEEDING), I.SUCCESS):
            return S.ACCEPTED, (A.DELIVER, A.START_M)
        case ((S.CALLING | S.PROCEEDING), I.FAILURE):
            return S.COMPLETED, (A.SEND_ACK, A.DELIVER, A.START_D)
        case S.ACCEPTED, I.SUCCESS:
            return S.ACCEPTED, (A.DELIVER,)
        case S.ACCEPTED, I.TIMER_M:
            return S.TERMINATED, ()
        case S.COMPLETED, I.FAILURE:
            return S.COMPLETED, (A.SEND_ACK,)
        case S.COMPLETED, I.BROKEN:
            return S.TERMINATED, ()
        case S.COMPLETED, I.TIMER_D:
            return S.TERMINATED, ()
        case _:
            return None


def client(state: State, happened: Input) -> Step | None:
    """RFC 3261 figure 6: any other request that we send. None: ignored.

    Trying -1xx-> Proceeding -final-> Completed -K-> Terminated.
    """
    match state, happened:
        case ((S.TRYING | S.PROCEEDING), I.TIMER_E):
            return state, (A.RESEND, A.START_E)
        case ((S.TRYING | S.PROCEEDING), I.TIMER_F):
            return S.TERMINATED, (A.TIMED_OUT,)
        case ((S.TRYING | S.PROCEEDING), I.BROKEN):
            return S.TERMINATED, (A.UNREACHABLE,)
        case ((S.TRYING | S.PROCEEDING), I.PROVISIONAL):
            return S.PROCEEDING, (A.DELIVER,)
        case ((S.TRYING | S.PROCEEDING), (I.SUCCESS | I.FAILURE)):
            return S.COMPLETED, (A.DELIVER, A.START_K)
        case S.COMPLETED, I.TIMER_K:
            return S.TERMINATED, ()
        case _:
            return None


def invite_server(state: State, happened: Input) -> Step | None:
    """RFC 3261 figure 7, with RFC 6026 figure "INVITE server transaction". None: ignored.

    Proceeding -2xx-> Accepted -L-> Terminated; Proceeding -3xx..6xx-> Completed -ACK-> Confirmed -I-> Terminated.
    """
    match state, happened:
        case S.PROCEEDING, I.REQUEST:
            return S.PROCEEDING, (A.RESEND,)
        case S.PROCEEDING, I.PROVISIONAL:
            return S.PROCEEDING, (A.SEND,)
        case S.PROCEEDING, I.SUCCESS:
            return S.ACCEPTED, (A.SEND, A.START_L)
        case S.PROCEEDING, I.FAILURE:
            return S.COMPLETED, (A.SEND, A.START_G, A.START_H)
        case S.ACCEPTED, I.REQUEST:
            # RFC 6026 7.1 absorbs it: the user repeats the 2xx in its own time (RFC 3261 13.3.1.4)
            return S.ACCEPTED, ()
        case S.ACCEPTED, I.SUCCESS:
            return S.ACCEPTED, (A.SEND,)
        case S.ACCEPTED, I.ACK:
            return S.ACCEPTED, (A.DELIVER,)
        case S.ACCEPTED, I.TIMER_L:
            return S.TERMINATED, ()
        case S.COMPLETED, I.REQUEST:
            return S.COMPLETED, (A.RESEND,)
        case S.COMPLETED, I.TIMER_G:
            return S.COMPLETED, (A.RESEND, A.START_G)
        case S.COMPLETED, I.TIMER_H:
            return S.TERMINATED, (A.TIMED_OUT,)
        case S.COMPLETED, I.ACK:
            return S.CONFIRMED, (A.START_I,)
        case S.CONFIRMED, I.TIMER_I:
            return S.TERMINATED, ()
        case _:
            return None


def server(state: State, happened: Input) -> Step | None:
    """RFC 3261 figure 8: any other request that comes in. None: ignored.

    Trying -1xx-> Proceeding -final-> Completed -J-> Terminated.
    """
    match state, happened:
        case S.TRYING, (I.SUCCESS | I.FAILURE):
            return S.COMPLETED, (A.SEND, A.START_J)
        case S.TRYING, I.PROVISIONAL:
            return S.PROCEEDING, (A.SEND,)
        case S.PROCEEDING, I.PROVISIONAL:
            return S.PROCEEDING, (A.SEND,)
        case S.PROCEEDING, (I.SUCCESS | I.FAILURE):
            return S.COMPLETED, (A.SEND, A.START_J)
        case ((S.PROCEEDING | S.COMPLETED), I.REQUEST):
            return state, (A.RESEND,)
        case S.COMPLETED, I.TIMER_J:
            return S.TERMINATED, ()
        case _:
            return None
