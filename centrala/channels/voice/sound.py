"""Who hears whom: the wishes of the core, said to the media workers.

Commands to workers state what shall be and may be repeated; they wait here until the ledger has what they follow
from.
"""

from collections.abc import Sequence

from centrala.media import messages as m
from centrala.media.client import MediaClient


class Sound:
    """The media workers as one thing with ports, players and recordings."""

    def __init__(self, workers: Sequence[MediaClient], advertised: str) -> None:
        self.workers = workers
        self.advertised = advertised
        self._held: list[tuple[int, m.Command]] = []
        self._players: set[tuple[int, str]] = set()
        self._next = 0

    def choose(self) -> int:
        """The worker for the next contact: each in turn, but for one that has no port (it may just be starting)."""
        for _ in self.workers:
            self._next = (self._next + 1) % len(self.workers)
            if self.workers[self._next].free_ports:
                break
        return self._next

    def take_port(self, worker: int) -> int | None:
        return self.workers[worker].take_port()

    def release_port(self, worker: int, port: int) -> None:
        self._held.append((worker, m.FreePort(port)))

    def send(self, worker: int, command: m.Command) -> None:
        """Goes out with the next release."""
        self._held.append((worker, command))

    def collect(self) -> list[tuple[int, m.Command]]:
        held, self._held = self._held, []
        return held

    def release(self, held: Sequence[tuple[int, m.Command]]) -> None:
        for number, worker in enumerate(self.workers):
            commands = [command for to, command in held if to == number]
            if commands:
                worker.send(*commands)

    def forget(self, worker: int) -> None:
        """The worker died: its players are gone."""
        self._players = {one for one in self._players if one[0] != worker}

    def player(self, worker: int, tenant: str, sound: str) -> str:
        """The shared, looping player of a sound; made on first use."""
        source = source_of(tenant, sound)
        if (worker, source) not in self._players:
            self._players.add((worker, source))
            self.send(worker, m.Player(player=source, sounds=[source], loop=True, shared=True))
        return source


def source_of(tenant: str, sound: str) -> str:
    """What the worker calls a sound: a built-in, or a file below the data folder."""
    if sound.startswith("tone:") or sound == "silence":
        return sound
    if sound in ("", "default"):
        return "music:default"
    return f"sounds/{tenant}/{sound}.wav"
