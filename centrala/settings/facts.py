"""What a centre's file means for the core: settings as facts.

`changes` compares with what the core knows, so that a restart with the same file tells nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from centrala.core import facts as f
from centrala.core.specs import AgentSpec, CalendarSpec, FlowSpec, ParkingSpec, QueueSpec
from centrala.core.specs import Announce as AnnounceSpec
from centrala.core.specs import Balance as BalanceSpec
from centrala.core.specs import Balancing as BalancingSpec
from centrala.core.specs import Callbacks as CallbacksSpec
from centrala.core.specs import Destination as To
from centrala.core.specs import FollowUp as FollowUpSpec
from centrala.core.specs import LastAgent as LastAgentSpec
from centrala.core.specs import Widen as WidenSpec
from centrala.core.state import Centre
from centrala.settings.house_flows import house_flows
from centrala.settings.model import (
    Agent,
    Announce,
    Balance,
    Balancing,
    Calendar,
    Callbacks,
    Destination,
    Expert,
    FollowUp,
    LastAgent,
    OpenSpans,
    Parking,
    Queue,
    Tenant,
    Widen,
)
from centrala.settings.routing import EXPERT

CALENDAR_DAYS = 400
"How far ahead opening hours are told; a running centre tells them anew long before."

ALWAYS = ((0.0, 1e12),)


def changes(
    centre: Centre, tenant: Tenant, now: float, published: Mapping[str, FlowSpec] | None = None
) -> list[f.Fact]:
    """Facts that bring the core's configuration to what the file says.

    `published` are the flows of the screen, by id; where they aren't known (None), no flow is taken away.
    """
    queues = [queue_spec(one, tenant, now) for one in tenant.queues.values()]
    agents = [agent_spec(one) for one in tenant.agents.values()]
    numbers = {name: destination(one) for name, one in tenant.numbers.items()}
    # An agent's id can be dialled inside the house, like an extension.
    for name in tenant.agents:
        numbers.setdefault(name, To("agent", name))
    # Experts are asked, and sent customers, as `expert:ID`, which nobody can dial.
    numbers |= {f"{EXPERT}{one.id}": expert_destination(one) for one in tenant.experts.values()}
    facts: list[f.Fact] = []
    calendars = [calendar_spec(one, tenant, now) for one in tenant.calendars.values()]
    facts += [f.CalendarChanged(now, one) for one in calendars if centre.calendars.get(one.id) != one.open_at]
    facts += [f.FlowPublished(now, one) for one in _flows(centre, tenant, published)]
    balancing = None if tenant.balancing is None else balancing_spec(tenant.balancing)
    if centre.balancing != balancing:
        facts.append(f.BalancingChanged(now, balancing))
    facts += [
        f.QueueChanged(now, spec)
        for spec in queues
        if spec.id not in centre.queues or centre.queues[spec.id].spec != spec
    ]
    facts += [
        f.AgentChanged(now, spec)
        for spec in agents
        if spec.id not in centre.agents or centre.agents[spec.id].spec != spec
    ]
    facts += [
        f.NumberChanged(now, number, to) for number, to in numbers.items() if centre.numbers.get(number) != to
    ]
    facts += [f.NumberRemoved(now, number) for number in _gone(centre.numbers, numbers)]
    facts += [f.AgentRemoved(now, name) for name in _gone(centre.agents, tenant.agents)]
    facts += [f.QueueRemoved(now, name) for name in _gone(centre.queues, tenant.queues)]
    parking = parking_spec(tenant.parking)
    if centre.parking != parking:
        facts.append(f.ParkingChanged(now, parking))
    if published is not None:
        facts += [
            f.FlowRemoved(now, name)
            for name in _gone(centre.flows, {*tenant.flows, *published, *house_flows()})
            if centre.flows[name].current
        ]
    facts += [f.CalendarRemoved(now, name) for name in _gone(centre.calendars, tenant.calendars)]
    return facts


def _flows(centre: Centre, tenant: Tenant, published: Mapping[str, FlowSpec] | None) -> list[FlowSpec]:
    """Versions that the core doesn't have: of the file's flows a new one, of the screen's the published one.

    Those that every house has, where the tenant has none of that name; or none yet, where the screen's aren't known.
    """
    found: list[FlowSpec] = []
    graphs = {id: flow.graph for id, flow in tenant.flows.items()}
    for id, graph in house_flows().items():
        if id not in graphs and (id not in centre.flows if published is None else id not in published):
            graphs[id] = graph
    for id, graph in graphs.items():
        known = centre.flows.get(id)
        if known is None or known.graphs.get(known.current) != graph:
            last = 0 if known is None else max([known.current, *known.graphs])
            found.append(FlowSpec(id, last + 1, graph))
    for id, spec in (published or {}).items():
        known = centre.flows.get(id)
        if id not in tenant.flows and (known is None or known.current != spec.version):
            found.append(spec)
    return found


def _gone(known: Iterable[str], wanted: Iterable[str]) -> list[str]:
    return sorted(set(known) - set(wanted))


def queue_spec(queue: Queue, tenant: Tenant, now: float) -> QueueSpec:
    agents = queue.agents
    if agents is None and not queue.needs:
        agents = tuple(tenant.agents)
    return QueueSpec(
        id=queue.id,
        client=queue.client,
        agents=agents,
        needs=dict(queue.needs),
        strategy=queue.strategy,
        service_level=queue.service_level,
        ring_timeout=queue.ring_timeout,
        wrap_up=queue.wrap_up,
        max_wait=queue.max_wait,
        max_length=queue.max_length,
        record=queue.record,
        music=queue.music,
        announce=None if queue.announce is None else announce_spec(queue.announce),
        priority=queue.priority,
        ageing=queue.ageing,
        short_abandon=queue.short_abandon,
        reject_delay=queue.reject_delay,
        retry_delay=queue.retry_delay,
        missed_limit=queue.missed_limit,
        when_full=_way_out(queue.when_full),
        when_no_agents=_way_out(queue.when_no_agents),
        after_max_wait=_way_out(queue.after_max_wait),
        when_closed=_way_out(queue.when_closed),
        open_at=opening(queue.hours, queue.holidays, tenant.timezone, now),
        dispositions=queue.dispositions,
        keys={digit: destination(to) for digit, to in queue.keys.items()},
        callbacks=callbacks_spec(queue.callbacks),
        follow_up=None if queue.follow_up is None else follow_up_spec(queue.follow_up),
        widen=tuple(widen_spec(one) for one in queue.widen),
        last_agent=None if queue.last_agent is None else last_agent_spec(queue.last_agent),
        when_slow=_way_out(queue.when_slow),
        slow_below=queue.slow_below,
        tier=queue.tier,
        escalate=None if queue.escalate is None else escalation(queue.escalate, tenant),
        name=queue.name or "",
        brief=queue.brief,
        record_on_demand=queue.record_on_demand,
        longest_pause=queue.longest_pause,
        interludes=queue.interludes,
        survey=queue.survey or "",
        balance=None if queue.balance is None else balance_spec(queue.balance),
    )


def announce_spec(announce: Announce) -> AnnounceSpec:
    return AnnounceSpec(
        announce.first,
        announce.every,
        announce.position,
        announce.wait,
        announce.messages,
        announce.learned,
    )


def callbacks_spec(how: Callbacks) -> CallbacksSpec:
    return CallbacksSpec(how.attempts, how.retry, how.expires, how.ring)


def follow_up_spec(how: FollowUp) -> FollowUpSpec:
    return FollowUpSpec(how.after, how.attempts, how.priority, how.grace)


def parking_spec(parking: Parking | None) -> ParkingSpec:
    return (
        ParkingSpec()
        if parking is None
        else ParkingSpec(parking.slots, parking.number or "", parking.timeout)
    )


def agent_spec(agent: Agent) -> AgentSpec:
    return AgentSpec(
        id=agent.id,
        name=agent.name or agent.id,
        skills=dict(agent.skills),
        fixed_phone=agent.phone is not None,
        always_ready=agent.always_ready,
        ready_on_register=agent.ready_on_register,
        helps=agent.helps,
    )


def balance_spec(rules: Balance) -> BalanceSpec:
    return BalanceSpec(rules.give, rules.take, rules.reserve, rules.most, dict(rules.helpers))


def balancing_spec(rules: Balancing) -> BalancingSpec:
    return BalancingSpec(rules.on, rules.every, rules.moves_per_hour, rules.margin)


def widen_spec(one: Widen) -> WidenSpec:
    needs = None if one.needs is None else dict(one.needs)
    return WidenSpec(one.after, one.length, one.below, needs, one.queues, one.calendar or "")


def last_agent_spec(rule: LastAgent) -> LastAgentSpec:
    return LastAgentSpec(rule.within, rule.wait, rule.preferred)


def expert_destination(expert: Expert) -> To:
    return To("phone", expert.phone) if expert.phone is not None else To("line", expert.number or "")


def escalation(to: Destination, tenant: Tenant) -> To:
    return expert_destination(tenant.experts[to.target]) if to.kind == "expert" else destination(to)


def destination(to: Destination) -> To:
    assert to.kind != "expert"
    return To(to.kind, to.target, to.record)


def _way_out(to: Destination | None) -> To | None:
    return None if to is None else destination(to)


def calendar_spec(calendar: Calendar, tenant: Tenant, now: float) -> CalendarSpec:
    intervals = opening(calendar.hours, calendar.holidays, calendar.timezone or tenant.timezone, now)
    return CalendarSpec(calendar.id, ALWAYS if intervals is None else intervals)


def opening(
    hours: tuple[OpenSpans, ...] | None, holidays: Collection[date], timezone: str, now: float
) -> tuple[tuple[float, float], ...] | None:
    """Opening intervals in unix seconds, from the Monday before `now` on; None is always open.

    Days have 23, 24 or 25 hours.
    """
    if hours is None:
        if not holidays:
            return None
        hours = (((0, 1440),),) * 7
    today = datetime.fromtimestamp(now, ZoneInfo(timezone)).date()
    return _opening(hours, frozenset(holidays), timezone, today - timedelta(days=today.weekday()))


@lru_cache(maxsize=1024)
def _opening(
    hours: tuple[OpenSpans, ...], holidays: frozenset[date], timezone: str, monday: date
) -> tuple[tuple[float, float], ...]:
    zone = ZoneInfo(timezone)
    intervals: list[tuple[float, float]] = []
    for offset in range(CALENDAR_DAYS):
        day = monday + timedelta(days=offset)
        if day in holidays:
            continue
        for start, end in hours[day.weekday()]:
            first, last = _moment(day, start, zone), _moment(day, end, zone)
            if last <= first:
                continue  # an hour that daylight saving leaves out
            if intervals and first <= intervals[-1][1]:
                intervals[-1] = (intervals[-1][0], last)
            else:
                intervals.append((first, last))
    return tuple(intervals)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> float:
    """Unix seconds of a wall-clock time; 24:00 is the next day's midnight."""
    at = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)
    return at.astimezone(UTC).timestamp()
