"""The living board of the demo: one screen of text that fits 80 columns by 24 lines and grows with the terminal."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from centrala.demo.centre import DIRECT, EXPERT, GUEST, MUSIC, SALES, SHOP, SUPPORT, Layout
from centrala.live import AgentView, Board, QueueView, WaitingView

STATES = {
    "on_contact": ("talks", "bright_cyan"),
    "held": ("on hold", "cyan"),
    "offered": ("rings", "bright_yellow"),
    "wrap_up": ("wrap-up", "magenta"),
    "ready": ("free", "bright_green"),
    "resting": ("missed", "red"),
    "not_ready": ("paused", "yellow"),
    "unreachable": ("no phone", "red"),
    "logged_out": ("signed out", "bright_black"),
}
"""Word and colour for each state of an agent."""

EVENT_STYLES = {
    "Connected": "bright_cyan",
    "OfferEnded": "bright_yellow",
    "ContactEnded": "white",
    "OfferMade": "bright_black",
    "Queued": "bright_black",
}


@dataclass(frozen=True, slots=True)
class Footer:
    """What the demo knows of itself."""

    seconds: float
    cpu: float
    """Shares of one core, application with simulation, and media worker."""
    media_cpu: float
    heard: int
    """Conversations in which both sides heard each other."""
    conversations: int
    problems: int
    """Warnings and errors in the log."""


class Screen:
    """One picture."""

    def __init__(
        self,
        layout: Layout,
        links: Sequence[str],
        board: Board,
        footer: Footer,
        callers: Callable[[str], str],
        notes: Sequence[str],
    ) -> None:
        """`links`: pages of the agent and of the supervisor, in this order.
        `callers`: the number behind a contact id, or "". `notes`: what people should know of this start."""
        self._layout = layout
        self._links = links
        self._board = board
        self._footer = footer
        self._callers = callers
        self._notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        lines = [*self._head(width), *self._queues(width)]
        agents = self._agents(width)
        room = height - 1 - len(lines) - len(agents) - 1
        lines += agents
        if room > 0:
            lines += [_rule("Last events", width), *self._events(room)]
        lines = lines[: height - 1]
        lines += [Text("")] * (height - 1 - len(lines))
        lines.append(self._foot(width))
        for number, line in enumerate(lines):
            line.truncate(width, pad=True)
            line.end = "" if number == len(lines) - 1 else "\n"
            yield line

    def _head(self, width: int) -> list[Text]:
        clock = _clock(self._footer.seconds)
        title = " Centrala · a living centre with simulated callers and agents"
        bar = Text(f"{title}{clock:>{max(width - len(title) - 1, 0)}} ", style="bold white on blue")
        where = self._layout.address
        lines = [
            bar,
            *(
                Text.assemble((f" {who} ", "bright_black"), (link, f"bold bright_green link {link}"))
                for who, link in zip(("Agent", "Chief"), self._links, strict=False)
            ),
            Text.assemble(
                (" Call in     ", "bright_black"), (f"sip:{SALES}@{where}", "bold bright_green"), " over UDP or TCP, ",
                "no password",
            ),
            Text.assemble(
                (" Also        ", "bright_black"), (SUPPORT, "green"), " support, ", (SHOP, "green"), " a voice menu, ",
                (DIRECT, "green"), " Ania, ",
                (EXPERT, "green"), " an expert outside, ", (MUSIC, "green"), " music",
            ),
            Text.assemble(
                (" Take calls  ", "bright_black"), "register ", (GUEST, "bold bright_green"), ", password ",
                (self._layout.guest_password, "bold bright_green"), f", at {where}",
            ),
        ]  # fmt: skip
        return lines + [Text(f" Note        {note}", style="yellow") for note in self._notes]

    def _queues(self, width: int) -> list[Text]:
        head = _row(("Queue", 12), ("Waiting", -8), ("Longest", -9), ("Talking", -9), ("Free", -6),
                    ("Came", -6), ("Served", -8), ("Lost", -6), ("In time", -9))  # fmt: skip
        head.stylize("bright_black")
        return [_rule("Queues", width), head, *(self._queue(one, width) for one in self._board.queues)]

    def _queue(self, one: QueueView, width: int) -> Text:
        longest = one.longest_wait
        late = _urgency(longest, one.target[1])
        level = one.now.service_level
        good = "bright_black" if level is None else "bright_green" if level >= one.target[0] else "bright_red"
        line = _row(
            (one.id, 12, "bold"),
            (str(len(one.waiting)), -8, late if one.waiting else "bright_black"),
            (_clock(longest) if one.waiting else "–", -9, late if one.waiting else "bright_black"),
            (str(one.talking), -9, "bright_cyan"),
            (str(one.free), -6, "bright_green" if one.free else "bright_black"),
            (str(one.today.offered), -6),
            (str(one.today.served), -8),
            (str(one.today.abandoned), -6, "red" if one.today.abandoned else "bright_black"),
            ("–" if level is None else f"{100 * level:.0f} %", -9, good),
        )
        if width >= 104:
            line.append("  " + _gauge(level or 0.0, 10), good)
            line.append(f"  goal {100 * one.target[0]:.0f} % in {one.target[1]:.0f} s", "bright_black")
        return line

    def _agents(self, width: int) -> list[Text]:
        left = 44 if width < 120 else 52
        waiting = sorted(
            (one for queue in self._board.queues for one in queue.waiting), key=lambda one: -one.wait
        )
        targets = {queue.id: queue.target[1] for queue in self._board.queues}
        rows = [_rule(["Agents", left, "Waiting"], width)]
        count = len(self._board.agents)
        for number in range(count):
            line = self._agent(self._board.agents[number], left)
            line.truncate(left, pad=True)
            line.append("│ ", "bright_black")
            if number == count - 1 and len(waiting) > count:
                line.append(f"and {len(waiting) - number} more", "bright_black")
            elif number < len(waiting):
                line.append_text(self._waiting(waiting[number], targets, width - left - 2))
            rows.append(line)
        return rows

    def _agent(self, one: AgentView, width: int) -> Text:
        word, style = STATES.get(one.state, (one.state, "white"))
        off = one.state == "logged_out"
        name_style = "bright_black" if off else "bold bright_green" if one.id == GUEST else "bold"
        whom = (
            self._callers(one.contact)
            if one.contact and one.state in ("on_contact", "held", "offered")
            else ""
        )
        return _row(
            ("○" if off else "●", 2, style),
            (one.name, 8, name_style),
            (word, 11, style),
            ("" if off else _clock(self._board.at - one.since), -6, "bright_black"),
            ("", 2),
            (whom, width - 30, "white"),
        )

    def _waiting(self, one: WaitingView, targets: dict[str, float], width: int) -> Text:
        threshold = targets.get(one.queue, 20.0)
        style = _urgency(one.wait, threshold)
        bar = _gauge(min(one.wait / (2 * threshold), 1.0), 10)
        tail = f"rings {', '.join(one.ringing)}" if one.ringing else ""
        return _row(
            (one.queue, 9), (_clock(one.wait), -6, style), ("", 1), (bar, 10, style), ("", 1), (tail, width)
        )

    def _events(self, room: int) -> list[Text]:
        shown = self._board.lines[-room:] if room > 0 else ()
        return [
            Text.assemble(
                (time.strftime(" %H:%M:%S ", time.localtime(line.at)), "bright_black"),
                (line.text, EVENT_STYLES.get(line.kind, "white")),
            )
            for line in reversed(shown)
        ]

    def _foot(self, width: int) -> Text:
        foot = self._footer
        text = (
            f" Ctrl-C ends · heard each other {foot.heard}/{foot.conversations}"
            f" · CPU {100 * foot.cpu:.0f} % + media {100 * foot.media_cpu:.0f} %"
        )
        text += f" · {foot.problems} in the log" if foot.problems else " · log clean"
        return Text(
            text.ljust(width), style="black on bright_black" if not foot.problems else "black on yellow"
        )


# --- pieces ---


def _row(*cells: tuple[str, int] | tuple[str, int, str]) -> Text:
    """Cells of (text, width, style); a negative width aligns to the right."""
    line = Text(" ")
    for cell in cells:
        text, width = cell[0], cell[1]
        piece = Text(text, style=cell[2] if len(cell) == 3 else "")
        room = abs(width)
        piece.truncate(max(room, 0), overflow="ellipsis")
        gap = room - piece.cell_len
        if width < 0:
            line.append(" " * gap)
            line.append_text(piece)
        else:
            line.append_text(piece)
            line.append(" " * gap)
    return line


def _rule(title: str | list[str | int], width: int) -> Text:
    parts = [title] if isinstance(title, str) else title
    text = ""
    for part in parts:
        if isinstance(part, int):
            text = text.ljust(part, "─") + "┬"
        else:
            text += f"─ {part} "
    return Text(text.ljust(width, "─"), style="bright_black")


def _gauge(share: float, width: int) -> str:
    """A bar in eighths of a column."""
    eighths = round(max(min(share, 1.0), 0.0) * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).strip().ljust(width)[:width]


def _urgency(wait: float, threshold: float) -> str:
    return "bright_green" if wait < threshold / 2 else "bright_yellow" if wait <= threshold else "bright_red"


def _clock(seconds: float) -> str:
    whole = max(int(seconds), 0)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def progress(board: Board, footer: Footer) -> str:
    """The same in one plain line."""
    parts = [f"{_clock(footer.seconds):>5}"]
    for one in board.queues:
        level = one.now.service_level
        in_time = "–" if level is None else f"{100 * level:.0f} %"
        parts.append(
            f"{one.id}: {len(one.waiting)} waiting ({_clock(one.longest_wait)}), {one.talking} talking,"
            f" {one.today.served} served, {one.today.abandoned} lost, in time {in_time}"
        )
    parts.append(f"heard each other {footer.heard}/{footer.conversations}")
    return "  |  ".join(parts)
