"""What is wrong with a flow that can be read: found before it is published, each thing with its place.

docs/reference/flows.md explains the codes. An error keeps a flow from being published, a warning doesn't. Linear in the
size of the flow.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from centrala.core.flow import nodes as n
from centrala.core.flow.expression import Expression, Template
from centrala.core.flow.fields import DIGITS
from centrala.core.flow.functions import number, text, truth
from centrala.core.flow.graph import read
from centrala.core.flow.paths import UNKNOWN, Insides, Names, circles, onward, reached, sets, union
from centrala.core.flow.problems import Problem, problem, shown

Ids = frozenset[str]

DEEPEST = 8
"Flows within a flow."
ALWAYS = Ids({"contact.id", "contact.dialled", "contact.medium", "language"})
"Variables that every flow has."


@dataclass(frozen=True, slots=True)
class Known:
    """What there is beside the flow, by name. None: not known, and not checked."""

    queues: Ids | None = None
    agents: Ids | None = None
    sounds: Ids | None = None
    calendars: Ids | None = None
    tables: Ids | None = None
    entry_points: Ids | None = None
    flows: Mapping[str, n.Flow] | None = None
    "Published ones, for sub-flows."
    languages: Ids | None = None
    "That can be spoken."


NOTHING_KNOWN = Known()


def problems(graph: str, known: Known = NOTHING_KNOWN, id: str = "") -> tuple[n.Flow | None, list[Problem]]:
    """All that is wrong with a graph, finished or not, and the flow as far as it can be read.

    It can be published under `id` when no problem is an error.
    """
    found = read(graph)
    if found.flow is None:
        return None, found.problems
    # What can't be read is something else in the flow, and that isn't worth a word.
    unread = {(one.node, one.where) for one in found.problems}
    more = _Check(found.flow, known, id, found.broken).all()
    return found.flow, [*found.problems, *(one for one in more if unread.isdisjoint(_places(one)))]


def check(flow: n.Flow, known: Known = NOTHING_KNOWN, id: str = "") -> list[Problem]:
    """What is wrong with a flow that was read without a problem. `id` is the one that it has or will have."""
    return _Check(flow, known, id, Ids()).all()


def _places(found: Problem) -> Iterator[tuple[str, str]]:
    """Its field, and those that this one is inside of."""
    where = found.where
    yield found.node, where
    for place, letter in enumerate(where):
        if letter in ".[":
            yield found.node, where[:place]


# --- the exits of each type ---

_NEXT = Ids({"next"})
_NONE = Ids()
_ANSWERED = Ids({"next", "timeout", "invalid"})
_FOUND = Ids({"found", "unknown"})
_CALLBACK = Ids({"booked", "no_number", "full", "failed"})
_WAYS_OUT = Ids({"full", "no_agents", "max_wait", "closed", "slow"})


def exits_of(does: n.Does) -> tuple[Ids, Ids | None]:
    """The exits that a node must have, and all that it may have; None: any name."""
    match does:
        case n.Menu():
            return Ids({"timeout", "invalid"}), Ids({*DIGITS, "timeout", "invalid"})
        case n.Collect() | n.Question():
            both = _ANSWERED
        case n.TakeMessage():
            both = Ids({"next", "empty"})
        case n.Callback(slot=slot):
            full = Ids({"full"}) if slot is not None else _NONE
            return Ids({"booked", "no_number", "failed"}) | full, _CALLBACK
        case n.Slots():
            both = Ids({"found", "none"})
        case n.Branch(cases=cases):
            both = Ids({"else", *(exit for _, exit in cases)})
        case n.Share(shares=shares):
            both = Ids(shares)
        case n.Hours():
            both = Ids({"open", "closed"})
        case n.Errand(kind="customer" | "table" | "number"):
            return _FOUND, _FOUND | {"failed"}
        case n.Errand(kind="http" | "python"):
            both = Ids({"next", "failed"})
        case n.Enqueue():
            return _NONE, _WAYS_OUT | Ids(DIGITS)
        case n.Transfer():
            return _NONE, Ids({"failed"})
        case n.HangUp() | n.Return():
            both = _NONE
        case n.SubFlow():
            return Ids({"else"}), None
        case _:
            both = _NEXT
    return both, both


# --- what a node says and reads ---


@dataclass(frozen=True, slots=True)
class _Use:
    """A template or an expression in its place."""

    where: str
    what: Template | Expression
    by_http: bool = False


def _prompts(does: n.Does) -> Iterator[tuple[str, n.Prompt]]:
    if isinstance(does, n.Say | n.Menu | n.Collect | n.Question | n.TakeMessage):
        yield "prompt", does.prompt
    if isinstance(does, n.Menu | n.Collect | n.Question):
        yield "timeout_prompt", does.timeout_prompt
        yield "invalid_prompt", does.invalid_prompt


def _uses(does: n.Does) -> Iterator[_Use]:
    for name, prompt in _prompts(does):
        for place, part in enumerate(prompt):
            for language, template in part.texts.items():
                yield _Use(f"{name}[{place}].{part.kind}" + (f".{language}" if language else ""), template)
    match does:
        case n.Collect(accept=Expression() as accept):
            yield _Use("accept", accept)
        case n.Enqueue(points=points, agent=agent):
            for name, one in (("points", points), ("agent", agent)):
                if one is not None:
                    yield _Use(name, one)
        case n.Callback(number=number_given, slot=slot):
            yield _Use("number", number_given)
            if slot is not None:
                yield _Use("slot", slot)
        case n.Set(values=values):
            for name, value in values.items():
                yield _Use(f"values.{name}", value)
        case n.Branch(cases=cases):
            for place, (condition, _) in enumerate(cases):
                yield _Use(f"cases[{place}].if", condition)
        case n.Errand(kind=kind, arguments=arguments):
            for name, template in arguments.items():
                field = f"headers{name[6:]}" if name.startswith("header.") else name
                yield _Use(f"arguments.{name}" if kind == "python" else field, template, kind == "http")
        case _:
            pass


def _alone(what: Template | Expression, name: str) -> bool:
    """Whether this variable stands between its braces by itself, wherever it stands."""
    if isinstance(what, Expression):
        return False
    return all(
        isinstance(piece, str) or name not in piece.variables or piece.text.strip() == name
        for piece in what.pieces
    )


def _where_set(does: n.Does, name: str) -> str:
    match does:
        case n.Set():
            return f"values.{name}"
        case n.Errand(kind="http"):
            return f"take.{name}"
        case n.Errand() | n.Slots():
            return "into"
        case n.Question():
            return "question"
        case _:
            return "variable"


# --- numbers, addresses ---

_RANGES: dict[type, dict[str, tuple[float, float]]] = {
    n.Menu: {"timeout": (0.5, 120), "retries": (0, 10)},
    n.Collect: {
        "least": (0, 64),
        "most": (1, 64),
        "timeout": (0.5, 120),
        "digit_timeout": (0.5, 30),
        "retries": (0, 10),
    },
    n.Question: {"timeout": (0.5, 120), "retries": (0, 10)},
    n.TakeMessage: {"longest": (1, 3600), "silence": (0.5, 60), "shortest": (0, 60)},
    n.Callback: {"priority": (-1000, 1000)},
    n.Slots: {"count": (1, 9), "lead": (0, 30 * 86_400)},
    n.Errand: {"timeout": (0.1, 30), "cache": (0, 86_400)},
    n.Enqueue: {"priority": (-1000, 1000), "agent_wait": (0, 3600)},
}
"Field → least and most."
_PYTHON_TIMEOUT = 60.0
_LONGEST_PAUSE = 10_000

_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]{1,5})?(?P<rest>[/?#]|\Z)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")  # RFC 9110 5.1
_SIP_URI = re.compile(r"sips?:[^\s@]+(?:@[^\s@]+)?\Z", re.IGNORECASE)
_OUTSIDE = re.compile(r"\+?[0-9*#][0-9*# ().-]{0,30}\Z")
_CURRENCY = re.compile(r"[A-Za-z]{3}\Z")


class _Check:
    """Goes over the nodes once, and then over the ways between them."""

    def __init__(self, flow: n.Flow, known: Known, id: str, broken: Ids) -> None:
        self.flow = flow
        self.known = known
        self.id = id
        self.broken = broken
        self.found: list[Problem] = []
        self.node = ""
        self.insides = Insides({**(known.flows or {}), **({id: flow} if id else {})})
        if id:
            self.insides.open.add(id)
        nodes = flow.nodes.values()
        self.inner = {
            does.flow: self.insides.of(does.flow)
            for node in nodes
            if isinstance(does := node.does, n.SubFlow)
        }
        self.edges = {node.id: [to for to in node.exits.values() if to in flow.nodes] for node in nodes}
        self.reached = reached([flow.start] if flow.start in flow.nodes else [], self.edges)
        self.secrets = Ids(
            does.variable for node in nodes if isinstance(does := node.does, n.Collect) and does.secret
        )
        self.checks_builtin = any(name.startswith("builtin:") for name in known.sounds or ())
        self.languages = self._languages()
        self.given, self.judges_unset = self._given()

    def wrong(self, where: str, code: str, **values: str) -> None:
        self.found.append(problem(self.node, where, code, "error", values))

    def warn(self, where: str, code: str, **values: str) -> None:
        self.found.append(problem(self.node, where, code, "warning", values))

    def all(self) -> list[Problem]:
        flow = self.flow
        if flow.start not in flow.nodes:
            self.wrong("start", "FLOW-START", found=shown(flow.start))
        self.spoken("language", flow.language)
        for node in flow.nodes.values():
            self.node = node.id
            if node.id not in self.broken:
                self.exits(node)
                self.numbers(node.does)
                self.names(node.does)
                self.own(node)
                self.prompts(node.does)
                self.variables(node.does)
        self.unreached()
        self.circles()
        return self.found

    # --- exits and ways ---

    def exits(self, node: n.Node) -> None:
        must, may = exits_of(node.does)
        for name in sorted(must - node.exits.keys()):
            self.wrong(f"exits.{name}", "FLOW-EXIT-MISSING", exit=shown(name))
        for name, to in node.exits.items():
            if may is not None and name not in may:
                self.wrong(f"exits.{name}", "FLOW-EXIT-UNKNOWN", exit=shown(name))
            elif to not in self.flow.nodes:
                self.wrong(f"exits.{name}", "FLOW-NOWHERE", exit=shown(name), found=shown(to))
        if isinstance(node.does, n.Menu) and not node.does.choices:
            self.wrong("exits", "FLOW-MENU")

    def unreached(self) -> None:
        for id in self.flow.nodes:
            if self.reached and id not in self.reached:
                self.node = id
                self.wrong("", "FLOW-UNREACHABLE")

    def circles(self) -> None:
        nodes = [id for id in self.flow.nodes if id in self.reached]
        at_once = {
            id: [
                to for to in onward(self.flow, id, self.inner) if to in self.reached and id not in self.broken
            ]
            for id in nodes
        }
        looped: set[str] = set()
        for circle in circles(at_once):
            looped.update(circle)
            self.around(circle, "FLOW-LOOP")
        good = reached((id for id in nodes if self.may_end(self.flow.nodes[id])), self.backwards())
        trapped = {id: [to for to in self.edges[id] if to not in good] for id in nodes if id not in good}
        for circle in circles(trapped):
            if looped.isdisjoint(circle):
                self.around(circle, "FLOW-NO-END")

    def around(self, circle: list[str], code: str) -> None:
        self.node = circle[0]
        self.wrong("", code, nodes=", ".join(circle[:5]) + (" …" if len(circle) > 5 else ""))

    def may_end(self, node: n.Node) -> bool:
        """A way ends here, or breaks off, which is another problem."""
        if node.id in self.broken or isinstance(node.does, n.HangUp | n.Return | n.Enqueue | n.Transfer):
            return True
        if isinstance(node.does, n.SubFlow) and self.inner[node.does.flow].ends:
            return True
        must, _ = exits_of(node.does)
        return not node.exits or any(node.exits.get(name) not in self.flow.nodes for name in must)

    def backwards(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {id: [] for id in self.flow.nodes}
        for id, others in self.edges.items():
            for other in others:
                found[other].append(id)
        return found

    # --- numbers ---

    def numbers(self, does: n.Does) -> None:
        for name, (least, most) in _RANGES.get(type(does), {}).items():
            limit = _PYTHON_TIMEOUT if (getattr(does, "kind", ""), name) == ("python", "timeout") else most
            if (value := getattr(does, name)) is not None:
                self.within(name, value, least, limit)
        match does:
            case n.Collect(least=fewest, most=many) if fewest > many:
                self.out_of_range("least", fewest, 0, many)
            case n.TakeMessage(shortest=shortest, longest=longest) if shortest > longest:
                self.out_of_range("shortest", shortest, 0, longest)
            case n.Share(shares=shares):
                for name, share in shares.items():
                    self.within(f"shares.{name}", share, 0, 100)
                    if share == 0:
                        self.warn(f"shares.{name}", "FLOW-NEVER")
                total = sum(shares.values())
                if abs(total - 100) > 0.01:
                    self.wrong("shares", "FLOW-SHARES", found=text(total))
            case _:
                pass

    def within(self, where: str, value: float, least: float, most: float) -> None:
        if not least <= value <= most:
            self.out_of_range(where, value, least, most)

    def out_of_range(self, where: str, value: float, least: float, most: float) -> None:
        self.wrong(
            where,
            "FLOW-RANGE",
            field=where,
            found=text(float(value)),
            least=text(float(least)),
            most=text(float(most)),
        )

    # --- what it refers to ---

    def names(self, does: n.Does) -> None:
        known = self.known
        match does:
            case (
                n.Enqueue(queue=queue, back=False)
                | n.Hours(queue=queue)
                | n.TakeMessage(queue=queue)
                | n.Callback(queue=queue)
                | n.Slots(queue=queue)
            ) if queue or isinstance(does, n.Enqueue):
                self.known_name("queue", "FLOW-QUEUE", queue, known.queues)
            case n.Hours(calendar=calendar):
                self.known_name("calendar", "FLOW-CALENDAR", calendar, known.calendars)
            case n.Errand(kind="table", settings=settings):
                self.known_name("table", "FLOW-TABLE", settings["table"], known.tables)
            case n.Errand(kind="python", settings=settings):
                self.known_name(
                    "entry_point", "FLOW-ENTRY-POINT", settings["entry_point"], known.entry_points
                )
            case n.Transfer(to=to):
                self.target(to.kind, to.name)
            case n.SubFlow(flow=name):
                self.sub_flow(name)
            case _:
                pass

    def known_name(self, where: str, code: str, name: str, names: Iterable[str] | None) -> None:
        if not name or (names is not None and name not in names):
            self.wrong(where, code, found=shown(name or None))

    def target(self, kind: str, name: str) -> None:
        match kind:
            case "queue":
                self.known_name("queue", "FLOW-QUEUE", name, self.known.queues)
            case "agent":
                self.known_name("agent", "FLOW-AGENT", name, self.known.agents)
            case "phone" if not _SIP_URI.match(name):
                self.wrong(
                    "phone", "FLOW-TARGET", found=shown(name), what="SIP address", wanted="sip:name@host"
                )
            case "line" if not _OUTSIDE.match(name):
                what = "telephone number"
                self.wrong("outside", "FLOW-TARGET", found=shown(name), what=what, wanted="+48221234567")
            case _:
                pass

    def sub_flow(self, name: str) -> None:
        inside, flows = self.inner[name], self.known.flows
        if not name or (flows is not None and name not in flows and name != self.id):
            self.wrong("flow", "FLOW-FLOW", found=shown(name or None))
        elif inside.circular:
            self.wrong("flow", "FLOW-RECURSION", found=shown(name))
        elif inside.depth > DEEPEST:
            self.wrong("flow", "FLOW-DEPTH", most=str(DEEPEST))

    # --- what only one type has ---

    def own(self, node: n.Node) -> None:
        match node.does:
            case n.Branch(cases=cases):
                self.branch(cases)
            case n.SubFlow(flow=name):
                self.returns(node, name)
            case n.Errand(kind="http", arguments=arguments):
                self.http(arguments)
            case n.Errand(kind="mail", arguments=arguments):
                to = arguments["to"]
                if to.plain and not re.fullmatch(r"[^\s@]+@[^\s@]+", to.text.strip()):
                    what = "e-mail address"
                    self.wrong(
                        "to", "FLOW-TARGET", found=shown(to.text), what=what, wanted="name@example.com"
                    )
            case _:
                pass

    def branch(self, cases: tuple[tuple[Expression, str], ...]) -> None:
        if not cases:
            self.warn("cases", "FLOW-NEVER")
        seen: set[str] = set()
        always = False
        for place, (condition, _) in enumerate(cases):
            fixed = None if condition.variables else truth(condition.value(lambda name: None))
            if always or fixed is False or condition.text in seen:
                self.warn(f"cases[{place}].if", "FLOW-NEVER")
            seen.add(condition.text)
            always = always or fixed is True

    def returns(self, node: n.Node, name: str) -> None:
        inside = self.inner[name]
        if inside is UNKNOWN or inside.circular:
            return
        for exit in sorted(inside.returns - node.exits.keys()):
            if exit != "else":
                self.warn(f"exits.{exit}", "FLOW-RETURN", exit=shown(exit))
        for exit in sorted(node.exits.keys() - inside.returns - {"else"}):
            self.warn(f"exits.{exit}", "FLOW-NEVER")

    def http(self, arguments: Mapping[str, Template]) -> None:
        url = arguments["url"]
        first = url.pieces[0] if url.pieces else ""
        match = _URL.match(first) if isinstance(first, str) else None
        if match is None or (not match["rest"] and len(url.pieces) > 1):
            self.wrong("url", "FLOW-HOST")
        for name, value in arguments.items():
            if name.startswith("header.") and not (_HEADER.match(name[7:]) and value.text.isprintable()):
                self.wrong(f"headers.{name[7:]}", "FLOW-HEADER", found=shown(name[7:]))

    # --- prompts ---

    def _languages(self) -> Ids:
        """The flow's own language, and any other in which it says something."""
        found = {self.flow.language} if self.flow.language else set()
        for node in self.flow.nodes.values():
            for _, prompt in _prompts(node.does):
                for part in prompt:
                    found.update(part.texts.keys() - {""})
        return Ids(found)

    def spoken(self, where: str, language: str) -> None:
        known = self.known.languages
        if language and (not _LANGUAGE.match(language) or (known is not None and language not in known)):
            wanted = ", ".join(sorted(known)) if known else "pl, en, ru"
            self.wrong(where, "FLOW-LANGUAGE", found=shown(language), wanted=wanted)

    def prompts(self, does: n.Does) -> None:
        for name, prompt in _prompts(does):
            if name == "prompt" and not prompt:
                self.warn(name, "FLOW-PROMPT")
            for place, part in enumerate(prompt):
                self.part(f"{name}[{place}]", part)

    def part(self, where: str, part: n.Spoken) -> None:
        said = f"{where}.{part.kind}"
        if "" not in part.texts and (missing := self.languages - part.texts.keys()):
            self.warn(said, "FLOW-TRANSLATION", missing=", ".join(sorted(missing)))
        for language, template in part.texts.items():
            place = f"{said}.{language}" if language else said
            self.spoken(place, language)
            if not template.text.strip():
                self.warn(place, "FLOW-PROMPT")
            elif part.kind == "sound":
                self.sound(place, template)
            elif template.plain:
                self.figure(place, part.kind, template.text)
        if part.kind == "money" and not _CURRENCY.match(part.currency):
            self.wrong(f"{where}.currency", "FLOW-CURRENCY", found=shown(part.currency or None))

    def sound(self, where: str, name: Template) -> None:
        if not name.plain:
            self.wrong(where, "FLOW-SOUND-FIXED")
        elif self.checks_builtin or not name.text.startswith("builtin:"):
            self.known_name(where, "FLOW-SOUND", name.text, self.known.sounds)

    def figure(self, where: str, kind: n.PartKind, said: str) -> None:
        """What is the same for every caller can be looked at now."""
        figure = number(said)
        if kind in ("number", "money", "pause") and figure is None:
            self.wrong(where, "FLOW-PART-VALUE", found=shown(said))
        elif kind == "pause" and figure is not None:
            self.within(where, figure, 0, _LONGEST_PAUSE)

    # --- variables ---

    def variables(self, does: n.Does) -> None:
        gives = sets(does)
        secret = isinstance(does, n.Collect) and does.secret
        for name in sorted(gives.exact | gives.prefixes):
            if name.split(".")[0] == "contact":
                self.wrong(_where_set(does, name), "FLOW-RESERVED", variable=name)
            elif name in self.secrets and not secret:
                self.wrong(_where_set(does, name), "FLOW-SECRET-SET", variable=name)
        for use in _uses(does):
            for name in sorted(use.what.variables):
                if name in self.secrets:
                    if not (use.by_http and _alone(use.what, name)):
                        self.wrong(use.where, "FLOW-SECRET", variable=name)
                elif self.judges_unset and name not in ALWAYS and name not in self.given:
                    self.warn(use.where, "FLOW-UNSET", variable=name)
        if (
            isinstance(does, n.Collect)
            and secret
            and does.accept
            and does.variable not in does.accept.variables
        ):
            # Nobody who judges it could know it; other variables can be looked at in a branch.
            self.wrong("accept", "FLOW-SECRET", variable=does.variable)

    def _given(self) -> tuple[Names, bool]:
        """What has a value somewhere: in this flow, in inner ones, in those that lead into it.

        Of a flow that returns, but into none that is known, nobody can tell what has a value.
        """
        nodes = list(self.flow.nodes.values())
        callers = self._callers()
        given = union(
            [
                *(sets(node.does) for node in nodes),
                *(inside.sets for inside in self.inner.values()),
                *(sets(node.does) for flow in callers for node in flow.nodes.values()),
            ]
        )
        returns = any(isinstance(node.does, n.Return) for node in nodes)
        return given, not self.broken and (bool(callers) or not returns)

    def _callers(self) -> list[n.Flow]:
        """The flows that lead into this one, over others too."""
        flows = self.known.flows
        if not self.id or not flows:
            return []
        leads: dict[str, list[str]] = {}
        for name, flow in flows.items():
            for node in flow.nodes.values():
                if isinstance(node.does, n.SubFlow):
                    leads.setdefault(node.does.flow, []).append(name)
        return [flows[name] for name in reached([self.id], leads) - {self.id} if name in flows]
