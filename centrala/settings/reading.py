"""From the file to `Settings`: which keys there are, what each must be, and what must fit together."""

import os
import re
from collections.abc import Iterable
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

from centrala.settings import balancing, floor, owing, parking, routing, words
from centrala.settings import flows as flows_of
from centrala.settings import trunks as trunks_of
from centrala.settings.building import build, table
from centrala.settings.listening import listen
from centrala.settings.model import (
    Agent,
    Client,
    Destination,
    DestinationKind,
    Flow,
    Queue,
    Secret,
    Settings,
    Strategy,
    Tenant,
    Trunk,
    TrunkRegistration,
)
from centrala.settings.overlay import NOTHING, Saved, overlaid
from centrala.settings.tree import (
    MAX_BYTES,
    SAVED,
    Listing,
    Mapping,
    Node,
    Notes,
    Parser,
    Problem,
    Reported,
    Scalar,
    SettingsError,
    Spot,
    Wrong,
    any_of,
    attempt,
    compose,
    did_you_mean,
    is_null,
    on_line,
    shorten,
)

_REFERENCE = re.compile(r"(env|file):(\S.*)")
_HANG_UPS = ("busy", "unavailable", "not_found")
_KINDS: tuple[str, ...] = tuple(one for one in get_args(DestinationKind) if one != "expert")


def load(path: Path | str, environ: Environment[str, str] | None = None, saved: Saved = NOTHING) -> Settings:
    """Read a centre's file, with what people set on the screen. Raises SettingsError with all that is wrong.

    Relative paths in the file start at its folder. `environ` is what `{env: NAME}` refers to; by default
    the process's own environment.
    """
    path, name = Path(path), str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _whole(name, "there is no such file; give the path of a settings file") from None
    except IsADirectoryError:
        raise _whole(name, "is a folder; give the path of a settings file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _whole(name, f"can't be read ({reason}); check the path and its permissions") from None
    if len(data) > MAX_BYTES:
        raise _whole(name, f"is bigger than {MAX_BYTES >> 20} MiB; expected a settings file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(name, [Problem(line, "", "is not UTF-8 text; save the file as UTF-8")]) from None
    return parse(text, path, environ, saved)


def parse(
    text: str, path: Path, environ: Environment[str, str] | None = None, saved: Saved = NOTHING
) -> Settings:
    """As `load`, of a text that has been read already; `path` names it and is where relative paths start."""
    return _read(compose(text, str(path)), text, path, environ, saved, {})


def _read(
    root: Node | None,
    text: str,
    path: Path,
    environ: Environment[str, str] | None,
    saved: Saved,
    texts: flows_of.Texts,
) -> Settings:
    name = str(path)
    if root is None or is_null(root):
        raise _whole(name, "is empty; expected at least the key tenants")
    root = overlaid(root, saved)
    top = Spot(Notes(), "", root.line, root)
    if not isinstance(root, Mapping):
        found = f"found {top.found()}; expected a mapping with the keys listen and tenants"
        raise SettingsError(name, [Problem(root.line, "", found)])
    environ = os.environ if environ is None else environ
    reading = _Reading(top.notes, path, environ, saved.secrets, saved.flows, texts)
    good, settings = attempt(top, reading.settings)
    reading.check_tenants_apart()
    if top.notes.problems or not good:
        raise SettingsError(name, top.notes.problems)
    warnings = tuple(warning.sentence(name) for warning in sorted(top.notes.warnings))
    done: Settings = replace(settings, warnings=warnings, source=text, texts=texts, saved=saved)
    return done


def again(settings: Settings, saved: Saved) -> Settings:
    """The same file with something else set on the screen; where it listens stays. Raises SettingsError."""
    root = _composed(settings.source, str(settings.path))
    texts = dict(settings.texts)
    return replace(_read(root, settings.source, settings.path, None, saved, texts), listen=settings.listen)


def tree(settings: Settings, saved: Saved = NOTHING) -> Node:
    """The file as it was read, with what was saved under it."""
    root = _composed(settings.source, str(settings.path))
    assert root is not None, "it was read before"
    return overlaid(root, saved)


@lru_cache(maxsize=1)
def _composed(source: str, name: str) -> Node | None:
    """The running centre's file: asked for again and again while somebody edits, and half of the work."""
    return compose(source, name)


def _whole(name: str, text: str) -> SettingsError:
    return SettingsError(name, [Problem(0, "", text)])


@dataclass(slots=True)
class _Seen:
    """What is compared between tenants, kept also of a tenant that has mistakes elsewhere."""

    domain: tuple[str, Spot] | None = None
    trunks: dict[str, Trunk] = field(default_factory=dict)
    trunks_at: Spot | None = None
    numbers: dict[str, Spot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Names:
    """The ids a tenant's parts may refer to: those written down, whether or not all is right with them."""

    clients: tuple[str, ...]
    agents: tuple[str, ...]
    queues: tuple[str, ...]
    dispositions: tuple[str, ...]
    calendars: tuple[str, ...]
    tables: tuple[str, ...]
    flows: tuple[str, ...]
    experts: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    notes: Notes
    path: Path
    environ: Environment[str, str]
    kept: Environment[str, str]
    """Secrets that were set on the screen, by the id that stands in their place."""
    published: Environment[str, frozenset[str]]
    """By tenant the flows of the screen."""
    texts: flows_of.Texts
    seen: dict[str, _Seen] = field(default_factory=dict)
    by_page_alone: list[Spot] = field(default_factory=list)
    """Agents that no telephone reaches."""
    ways_in: list[Spot] = field(default_factory=list)
    """What was set on the screen and lets in calls by their address alone."""

    def settings(self, top: Spot) -> Settings:
        parsers: dict[str, Parser] = {
            "listen": lambda spot: listen(spot, self.path.parent),
            "tenants": self.tenants,
        }
        given = top.fields(parsers, "a mapping")
        found: Settings = build(Settings, top, {"listen": top.at("listen"), **given}, parsers, path=self.path)
        if not (found.listen.http or found.listen.https):
            for spot in self.by_page_alone:
                spot.warn(
                    "can't be called: has neither sip_password nor phone, and listen has no http for pages"
                )
        return found

    # ---- tenants

    def tenants(self, spot: Spot) -> dict[str, Tenant]:
        tenants: dict[str, Tenant] = table(self.tenant, "a mapping of ids to tenants")(spot)
        if not spot.entries(""):
            raise Wrong("found no tenant; expected at least one")
        return tenants

    def tenant(self, id: str, spot: Spot) -> Tenant:
        seen = self.seen[id] = _Seen()

        def domain(spot: Spot) -> str:
            seen.domain = (words.hostname(spot), spot)
            return seen.domain[0]

        def trunks(spot: Spot) -> dict[str, Trunk]:
            seen.trunks = table(self.trunk, "a mapping of ids to trunks")(spot)
            seen.trunks_at = spot
            trunks_of.check_apart(spot.entries(""), seen.trunks)
            return seen.trunks

        def numbers(spot: Spot) -> dict[str, Destination]:
            expected = "a mapping of numbers to destinations"
            seen.numbers = spot.entries(expected)
            return table(lambda number, at: self.number(number, at, names), expected, ids=False)(spot)

        def agents(spot: Spot) -> dict[str, Agent]:
            return table(lambda id, at: self.agent(id, at, names), "a mapping of ids to agents")(spot)

        def queues(spot: Spot) -> dict[str, Queue]:
            return table(lambda id, at: self.queue(id, at, names), "a mapping of ids to queues")(spot)

        def flows(spot: Spot) -> dict[str, Flow]:
            return flows_of.flows(
                spot,
                folder,
                self.texts,
                queues=names.queues,
                agents=names.agents,
                calendars=names.calendars,
                tables=names.tables,
            )

        folder = self.path.parent
        parsers: dict[str, Parser] = {
            "domain": domain,
            "name": words.line_of_text,
            "country": words.country,
            "timezone": words.timezone,
            "locale": words.locale,
            "trunks": trunks,
            "clients": table(self.client, "a mapping of ids to clients"),
            "agents": agents,
            "queues": queues,
            "numbers": numbers,
            "teams": lambda spot: floor.teams(spot, names.agents),
            "reasons": floor.reasons,
            "dispositions": floor.dispositions,
            "flows": flows,
            "calendars": flows_of.calendars,
            "tables": lambda spot: flows_of.tables(spot, folder),
            "mail": lambda spot: flows_of.mail(spot, self.secret),
            "http": lambda spot: flows_of.http(spot, self.secret),
            "speech": lambda spot: flows_of.speech(spot, folder),
            "callbacks": owing.rules,
            "balancing": balancing.balancing,
            "parking": parking.parking,
            "tiers": routing.tiers,
            "experts": lambda spot: routing.experts(spot, names.calendars),
            "escalation_reasons": floor.escalation_reasons,
        }
        given = spot.fields(parsers, f"a mapping with {any_of(parsers)}")
        names = _Names(**{one.name: _keys(given.get(one.name)) for one in fields(_Names)})
        names = replace(names, flows=(*names.flows, *self.published.get(id, ())))
        tenant = build(Tenant, spot, given, parsers, id=id)
        self._look_over(tenant, given)
        return tenant

    def trunk(self, id: str, spot: Spot) -> Trunk:
        parsers: dict[str, Parser] = {
            "address": words.line_of_text,
            "network": words.network,
            "transport": words.choice("a trunk's transport", ("udp", "tcp", "tls")),
            "outbound": words.flag,
            "register": self.registration,
            "max_calls": words.integer(1, 100_000),
            "options_interval": words.duration(1.0),
            "caller_id": words.line_of_text,
        }
        given = spot.fields(parsers, f"a mapping with {any_of(parsers)}")
        secure = "transport" in given and given["transport"].found() == "'tls'"
        parsers["address"] = words.address(5061 if secure else 5060)
        trunk = build(Trunk, spot, given, parsers, id=id)
        self._way_in(given.get("network"))
        if not (trunk.address or trunk.network or trunk.register):
            raise Wrong("leads nowhere; expected at least one of address, network, register")
        if trunk.register and not (trunk.address or trunk.register.registrar):
            raise Wrong("has nowhere to register; expected register.registrar, or the trunk's address")
        if trunk.outbound and not (trunk.address or trunk.register):
            raise Wrong(
                "can't take calls out without address or register; expected one of them, or outbound: false"
            )
        return trunk

    def registration(self, spot: Spot) -> TrunkRegistration:
        parsers: dict[str, Parser] = {
            "registrar": words.address(5060),
            "user": words.line_of_text,
            "password": self.secret,
            "domain": words.hostname,
            "expires": words.duration(30.0, 86400.0),
        }
        return build(
            TrunkRegistration, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers
        )

    def client(self, id: str, spot: Spot) -> Client:
        parsers: dict[str, Parser] = {"name": words.line_of_text}
        return build(Client, spot, spot.fields(parsers, "a mapping with the key name"), parsers, id=id)

    def agent(self, id: str, spot: Spot, names: _Names) -> Agent:
        parsers: dict[str, Parser] = {
            "name": words.line_of_text,
            "sip_password": self.secret,
            "phone": words.sip_uri,
            "always_ready": words.flag,
            "ready_on_register": words.flag,
            "skills": self.levels,
            "helps": words.list_of(words.reference("a queue", names.queues), "a list of queues' ids"),
        }
        given = spot.fields(parsers, f"a mapping with {any_of(parsers)}")
        agent = build(Agent, spot, given, parsers, id=id)
        if agent.sip_password is None and agent.phone is None:
            self.by_page_alone.append(spot)
        if agent.sip_password is None:
            self._way_in(given.get("phone"))
        if agent.always_ready and agent.phone is None:
            spot.at("always_ready").warn("without phone the agent is also offered calls while not registered")
        return agent

    def _way_in(self, spot: Spot | None) -> None:
        if spot is not None and spot.line == SAVED:
            self.ways_in.append(spot)

    def levels(self, spot: Spot) -> dict[str, int]:
        level = words.integer(1, 10)
        levels: dict[str, int] = table(
            lambda _, at: level(at), "a mapping of skills to levels such as {sales: 5}"
        )(spot)
        return levels

    def queue(self, id: str, spot: Spot, names: _Names) -> Queue:
        def destination(spot: Spot) -> Destination:
            found = self.destination(spot, names)
            if (found.kind, found.target) == ("queue", id):
                raise Wrong("leads back to the queue itself; expected another destination")
            return found

        parsers: dict[str, Parser] = {
            "name": words.line_of_text,
            "client": words.reference("a client", names.clients),
            "agents": words.list_of(words.reference("an agent", names.agents), "a list of agents' ids"),
            "needs": self.levels,
            "strategy": words.choice("a strategy", get_args(Strategy)),
            "service_level": words.service_level,
            "ring_timeout": words.duration(1.0, 3600.0),
            "wrap_up": words.duration(),
            "max_wait": words.duration(0.001),
            "max_length": words.integer(0, 1_000_000),
            "record": words.flag,
            "music": words.name_of_sound,
            "announce": flows_of.announce,
            "priority": words.integer(-1000, 1000),
            "ageing": words.duration(0.001),
            "short_abandon": words.duration(),
            "reject_delay": words.duration(),
            "retry_delay": words.duration(),
            "missed_limit": words.integer(1, 1000),
            "when_full": destination,
            "when_no_agents": destination,
            "after_max_wait": destination,
            "when_closed": destination,
            "hours": words.hours,
            "holidays": words.days,
            "dispositions": words.list_of(
                words.reference("a disposition", names.dispositions), "a list of dispositions' ids"
            ),
            "thresholds": floor.thresholds,
            "keys": owing.keys(destination),
            "callbacks": owing.callbacks,
            "follow_up": owing.follow_up,
            "widen": routing.widen([one for one in names.queues if one != id], names.calendars),
            "last_agent": routing.last_agent,
            "when_slow": destination,
            "slow_below": words.percent,
            "tier": words.integer(1, routing.MOST_TIER),
            "escalate": routing.escalate(destination, names.experts),
            "brief": words.flag,
            "record_on_demand": words.flag,
            "auto_answer": words.duration(1.0, 10.0),
            "longest_pause": words.duration(1.0, 3600.0),
            "interludes": words.list_of(words.reference("a flow", names.flows), "a list of flows' ids"),
            "survey": words.reference("a flow", names.flows),
            "balance": balancing.balance(self.levels),
        }
        given = spot.fields(parsers, f"a mapping with {any_of(parsers)}")
        queue = build(Queue, spot, given, parsers, id=id)
        for key, cause, there in (
            ("when_full", "max_length", queue.max_length is not None),
            ("after_max_wait", "max_wait", queue.max_wait is not None),
            ("when_closed", "hours or holidays", queue.hours is not None or bool(queue.holidays)),
        ):
            if key in given and not there:
                given[key].warn(f"has no effect without {cause}")
        if queue.auto_answer is not None and queue.auto_answer >= queue.ring_timeout:
            given["auto_answer"].warn("has no effect: a call rings no longer than ring_timeout")
        if queue.agents is None and not queue.needs:
            spot.warn("has neither agents nor needs, so every agent of the tenant serves it")
        return queue

    def number(self, number: str, spot: Spot, names: _Names) -> Destination:
        if not number or any(not char.isprintable() for char in number) or len(number) > 128:
            raise Wrong("can't be dialled; expected 1 to 128 printable characters")
        if number in names.agents and not self._is_agent(spot, number):
            spot.warn("is also an agent's id; who dials it reaches this number's destination, not the agent")
        if " " in number:
            spot.warn(
                "has a space in it; phones send numbers without spaces, so that nobody may ever reach it"
            )
        return self.destination(spot, names)

    @staticmethod
    def _is_agent(spot: Spot, id: str) -> bool:
        if not isinstance(spot.node, Mapping):
            return False
        target = spot.entries("").get("agent")
        return target is not None and isinstance(target.node, Scalar) and target.node.text == id

    def destination(self, spot: Spot, names: _Names) -> Destination:
        parsers: dict[str, Parser] = {
            "queue": words.reference("a queue", names.queues),
            "agent": words.reference("an agent", names.agents),
            "phone": words.sip_uri,
            "music": words.name_of_sound,
            "hang_up": words.choice("a way to hang up", _HANG_UPS),
            "flow": lambda spot: self.flow(spot, names),
            "record": words.flag,
        }
        given = spot.fields(parsers, f"a mapping with one of {any_of(_KINDS)}, such as {{queue: sales}}")
        kinds = [kind for kind in _KINDS if kind in given]
        if len(kinds) != 1:
            raise Wrong(
                f"found {' and '.join(kinds) or 'no destination'}; expected exactly one of {any_of(_KINDS)}"
            )
        kind = kinds[0]
        good, target = attempt(given[kind], parsers[kind])
        recorded, record = attempt(given["record"], words.flag) if "record" in given else (True, False)
        if "record" in given and kind not in ("agent", "phone"):
            whose = "; set record at the queue" if kind == "queue" else ""
            given["record"].problem(f"a destination of kind {kind} has no record{whose or '; remove it'}")
        if not good or not recorded:
            raise Reported
        return Destination(kind, target, record)  # type: ignore[arg-type]

    @staticmethod
    def flow(spot: Spot, names: _Names) -> str:
        id = spot.text("the id of a flow")
        words.identifier_of(id)(spot)
        if id not in names.flows and id not in owing.BUILT_IN:
            spot.warn(
                f"{shorten(id)} is no flow; until one of this name is given here or published on the screen, who gets"
                f" there is turned away{did_you_mean(id, names.flows)}"
            )
        return id

    def secret(self, spot: Spot) -> Secret:
        """A text, `{env: NAME}`, `{file: PATH}`, `env:NAME` or `file:PATH`. No message ever shows the secret."""
        expected = "a text, env:NAME or file:PATH"
        if not isinstance(spot.node, Mapping):
            if isinstance(spot.node, Listing):
                raise Wrong(f"found a list; expected {expected}")
            if isinstance(spot.node, Scalar) and (found := _REFERENCE.fullmatch(spot.node.text)):
                return self._referred(found[1], found[2])
            # The text as it is: blanks within quotes belong to a password.
            return self._secret(spot.node.text if isinstance(spot.node, Scalar) else "", "is empty")
        if spot.node.line == SAVED and (kept := spot.entries(expected).get("kept")):
            name = kept.text("a text")
            if name not in self.kept:
                raise Wrong("the secret that was set on the screen is gone; expected it to be set anew")
            return self._secret(self.kept[name], "is empty")
        given = spot.fields(("env", "file"), expected)
        if len(given) != 1:
            raise Wrong(f"found {' and '.join(given) or 'nothing'}; expected {expected}")
        ((source, where),) = given.items()
        return self._referred(source, where.text("a text"))

    def _referred(self, source: str, name: str) -> Secret:
        if source == "env":
            if name not in self.environ:
                raise Wrong(f"the environment variable {shorten(name)} is not set; set it before the start")
            return self._secret(self.environ[name], f"the environment variable {shorten(name)} is empty")
        path = self.path.parent / name
        try:
            if not path.is_file():
                raise Wrong(f"there is no file {shorten(name)}; expected one that holds the secret")
            with path.open("rb") as file:
                text = file.read(4097).decode("utf-8-sig").rstrip("\r\n")
        except OSError as error:
            raise Wrong(f"the file {shorten(name)} can't be read ({error.strerror})") from None
        except ValueError:
            raise Wrong(
                f"the file {shorten(name)} is not UTF-8 text; expected one that holds the secret"
            ) from None
        return self._secret(text, f"the file {shorten(name)} is empty")

    @staticmethod
    def _secret(text: str, if_empty: str) -> Secret:
        if not text:
            raise Wrong(f"{if_empty}; expected a secret")
        if len(text) > 1024 or any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text):
            raise Wrong(
                "the secret is too long or has control characters in it; expected one line of at most 1024"
            )
        return Secret(text)

    # ---- what must fit together

    @staticmethod
    def _look_over(tenant: Tenant, given: dict[str, Spot]) -> None:
        """Queues that nobody can serve are allowed (agents may be added on the screen), but said."""
        parking.look_over(tenant, given)
        routing.look_over(tenant, given)
        spots = given["queues"].entries("") if tenant.queues else {}
        calls_out = any(one.outbound for one in tenant.trunks.values())
        for id, queue in tenant.queues.items():
            if queue.follow_up is not None and not calls_out:
                spots[id].at("follow_up").warn("nobody can be called back: no trunk is outbound")
            ids: Iterable[str] = tenant.agents if queue.agents is None else queue.agents
            agents = [tenant.agents[one] for one in ids if one in tenant.agents]
            if not any(
                all(agent.skills.get(s, 0) >= level for s, level in queue.needs.items()) for agent in agents
            ):
                spots[id].warn("no agent can serve it; nobody has what agents and needs ask for")

    def check_tenants_apart(self) -> None:
        """A domain, and a number reached over the same trunk, must lead to one tenant."""
        if len(self.seen) > 1:
            trunks = {id: (one.trunks, one.trunks_at) for id, one in self.seen.items() if one.trunks_at}
            trunks_of.check_ways_in(self.ways_in, trunks)
        domains: dict[str, tuple[str, Spot]] = {}
        owners: dict[str, list[str]] = {}
        shared: dict[tuple[str, str], bool] = {}
        for id, seen in self.seen.items():
            if seen.domain:
                domain, spot = seen.domain
                if domain in domains:
                    other, first = domains[domain]
                    spot.problem(
                        f"{shorten(domain)} is already the domain of the tenant {other} ({on_line(first.line)});"
                        " expected a domain of its own"
                    )
                domains.setdefault(domain, (id, spot))
            for number, spot in seen.numbers.items():
                for other in owners.get(number, ()):
                    pair = (other, id)
                    if pair not in shared:
                        shared[pair] = trunks_of.share(self.seen[other].trunks.values(), seen.trunks.values())
                    if shared[pair]:
                        line = self.seen[other].numbers[number].line
                        spot.problem(
                            f"already reaches something in the tenant {other} ({on_line(line)}), and both tenants"
                            " have a trunk at the same address; expected the number in one of them"
                        )
                        break
                owners.setdefault(number, []).append(id)


def _keys(spot: Spot | None) -> tuple[str, ...]:
    return tuple(spot.entries("")) if spot is not None and isinstance(spot.node, Mapping) else ()
