"""Parts of prompts → sounds that a player can play, each synthesised once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import secrets
import time as _time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from centrala.core.commands import Part
from centrala.media.sounds import Library, SoundProblem
from centrala.speech import audio, prompts, text
from centrala.speech.cache import FOLDER, PRIVATE, Cache
from centrala.speech.engines import Engine, EngineProblem, Espeak, Voice
from centrala.speech.piper import Piper
from centrala.speech.words import in_words

log = logging.getLogger(__name__)

ROOM = 500_000_000
"Bytes of spoken texts that are kept."
PATIENCE = 25.0
"Seconds that a prompt waits for one of its parts; the part is still made, for the next caller."
_AT_ONCE = 2
"Programs that speak at the same time."
_TRIES, _REST = 3, 30.0
"After so many failures in a row an engine isn't asked for so many seconds, where another one can."
_SWEEP = 30.0
_FORM = "1"
"Part of every key: another number makes everything anew."

_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_RECORDED = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}\.wav")
_LONGEST_PAUSE = 60_000
_SECRET = "\0secret:"
"Begins what stands for digits that never leave the channel."


@dataclass(frozen=True, slots=True)
class House:
    """How a tenant speaks."""

    language: str = "en"
    "Where a prompt names none."
    voices: Mapping[str, str] = field(default_factory=dict)
    "Language → name of a voice, where a prompt names none."
    piper: Mapping[str, Path] = field(default_factory=dict)
    "Name of a voice → its Piper model; only this tenant has them."


@dataclass(frozen=True, slots=True)
class Spoken:
    """A prompt, ready to be played."""

    paths: list[str]
    "In order: files below the data folder, or built-in sounds (`silence:500`)."
    problems: list[str]
    "What is left out and why, in sentences without what was to be said."


@dataclass(frozen=True, slots=True)
class _Wish:
    """A text that somebody has to speak."""

    words: str
    language: str
    voices: tuple[tuple[Engine, Voice], ...]
    "Those who can, the best first."
    private: bool
    problem: str = ""
    "What of it is left out."


class _Unspeakable(Exception):
    """Why a part can't be spoken, for people."""


class Speech:
    """The voices of a centre. Engines are tried in their order; what they say is kept in `data`/speech.

    Not for several threads, but for `wav`.
    """

    def __init__(
        self,
        data: Path,
        engines: Sequence[Engine] | None = None,
        *,
        clock: Callable[[], float] = _time.time,
        room: int = ROOM,
    ) -> None:
        self._data = data
        self._engines: Sequence[Engine] = (Espeak(),) if engines is None else engines
        self._cache = Cache(data, room, clock)
        self._houses: dict[str, House] = {}
        self._pipers: dict[str, Piper] = {}
        self._voices: dict[int, dict[str, list[Voice]]] = {}
        "id of an engine → language without region → its voices, once looked for."
        self._failures: dict[int, tuple[int, float]] = {}
        "id of an engine → failures in a row, and when the last was."
        self._making: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._ahead = asyncio.Semaphore(1)
        self._salt = secrets.token_bytes(16)
        self._opening: asyncio.Task[None] | None = None
        self._open = False
        self._sweeper: asyncio.Task[None] | None = None
        self._warming: dict[tuple[str, str], asyncio.Task[None]] = {}
        "Tenant and language → who speaks its built-in prompts."

    async def start(self) -> None:
        """Look for engines, take over what was spoken before, delete what was private."""
        await self._opened()
        self._sweeper = asyncio.create_task(self._sweep(), name="speech: private files")

    async def stop(self) -> None:
        """End programs that speak; delete what is private."""
        ahead = [self._sweeper, *self._warming.values()]
        tasks = [one for one in (*ahead, *self._making.values()) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._sweeper = None
        await asyncio.gather(*(one.close() for one in (*self._engines, *self._pipers.values())))
        await asyncio.to_thread(self._cache.forget)

    def configure(self, houses: Mapping[str, House]) -> None:
        """Tenant → how it speaks. Blocks for a few files where a tenant has Piper models; again at any time."""
        for tenant, house in houses.items():
            if self._houses.get(tenant, House()).piper != house.piper or tenant not in self._pipers:
                piper = self._pipers[tenant] = Piper(house.piper)
                self._look(piper)
                for problem in piper.problems:
                    log.warning("speech of %s: %s", tenant, problem)
        for tenant in set(self._houses) - set(houses):
            self._voices.pop(id(self._pipers.pop(tenant, None)), None)
        self._houses = dict(houses)

    def voices(self, tenant: str = "") -> list[Voice]:
        """All that can speak for this tenant; of one language the best first. Blocks the first time."""
        return [
            voice
            for engine in self._of(tenant)
            for language in self._looked(engine).values()
            for voice in language
        ]

    def check(self, said: str, language: str = "", voice: str = "", tenant: str = "") -> list[str]:
        """Why this can't be spoken here, in sentences; empty where it can. Blocks the first time."""
        language = self._language(tenant, language)
        for engine in self._of(tenant):
            self._looked(engine)
        found = []
        if not self._candidates(tenant, language, ""):
            found.append(f"There is {self._no_voice(language)}.")
        elif voice:
            base = language.partition("-")[0]
            known = {one.name for engine in self._of(tenant) for one in self._looked(engine).get(base, ())}
            if voice not in known:
                there = ", ".join(sorted(known))
                found.append(f"There is no voice {voice} for {language}; there are {there}.")
        if len(said) > text.LONGEST:
            found.append(f"The text is longer than {text.LONGEST:,} characters: its end isn't spoken.")
        if said.strip() and not text.plain(said):
            found.append("There is nothing in the text that can be spoken.")
        return found

    def ready(self, tenant: str, parts: Sequence[Part], language: str, voice: str = "") -> list[str] | None:
        """What to play, if nothing has to be synthesised for it and nothing is left out; else None. Doesn't block."""
        if not self._open:
            return None
        paths: list[str] = []
        for part in parts:
            try:
                wish = self._wish(tenant, part, language, voice)
            except _Unspeakable:
                return None
            if isinstance(wish, _Wish):
                path = self._path(wish, *wish.voices[0])
                if wish.problem or not self._cache.find(path):
                    return None
                paths.append(path)
            elif wish == _BEEP_FILE and not self._cache.find(wish):
                return None
            elif wish:
                paths.append(wish)
        return paths

    async def sounds(self, tenant: str, parts: Sequence[Part], language: str, voice: str = "") -> Spoken:
        """What to play, synthesised where it has to be. What can't be spoken is left out and told."""
        await self._opened()
        made = await asyncio.gather(*(self._sound(tenant, one, language, voice) for one in parts))
        paths, problems = [], []
        for number, (part, (path, problem)) in enumerate(zip(parts, made, strict=True), 1):
            if path:
                paths.append(path)
            if problem:
                problems.append(f"part {number} ({part.kind}): {problem}")
        return Spoken(paths, problems)

    async def prepare(
        self, tenant: str, texts: Iterable[str | Part], language: str, voice: str = ""
    ) -> list[str]:
        """Speak what is the same for every caller, one after the other, so that all later find it ready.

        Whoever calls meanwhile isn't kept waiting by it. Answers with problems, in sentences.
        """
        await self._opened()
        problems = []
        for number, said in enumerate(dict.fromkeys(texts), 1):
            part = Part("text", said) if isinstance(said, str) else said
            async with self._ahead:
                _, problem = await self._sound(tenant, part, language, voice)
            if problem:
                problems.append(f"{part.kind} {number}: {problem}")
        return problems

    def warm(self, tenant: str = "", language: str = "") -> asyncio.Task[None]:
        """Speak all built-in prompts of a language (that of the tenant, if none) in the background, one by one.

        Returns at once; asked again for the same, it begins anew. `stop` ends it. What fails is logged.
        """
        about = tenant, self._language(tenant, language)
        if (before := self._warming.get(about)) is not None:
            before.cancel()
        task = self._warming[about] = asyncio.create_task(self._warm(*about), name="speech: built-in prompts")
        task.add_done_callback(partial(self._warmed, about))
        return task

    async def _warm(self, tenant: str, language: str) -> None:
        failed = 0
        for name in prompts.NAMES:
            problems = await self.prepare(tenant, [Part("sound", prompts.PREFIX + name)], language)
            failed = failed + 1 if problems else 0
            if failed == _TRIES:
                log.warning("speech of %s: its built-in prompts can't be spoken: %s", tenant, problems[0])
                return
            # Those that are there already don't wait for anything.
            await asyncio.sleep(0)

    def _warmed(self, about: tuple[str, str], task: asyncio.Task[None]) -> None:
        if self._warming.get(about) is task:
            del self._warming[about]
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("speech of %s: its built-in prompts aren't ready", about[0], exc_info=problem)

    def wav(self, paths: Sequence[str]) -> bytes:
        """What `sounds` answered with as one WAV file, to be heard in a browser. Blocks. Raises SoundProblem."""
        library = Library(self._data)
        sounds = [library.get(path) for path in paths]
        if any(one.endless for one in sounds):
            raise SoundProblem("a sound that never ends can't be a file")
        return audio.wav(audio.joined([one.pcm for one in sounds], 0.0) if sounds else audio.raw(b""))

    # --- what a part asks for ---

    def _wish(self, tenant: str, part: Part, language: str, voice: str) -> _Wish | str:
        """What has to be spoken, or what can be played as it is; empty: nothing. Raises _Unspeakable."""
        said = _said(part)
        if _SECRET in said:
            raise _Unspeakable("a secret isn't spoken")
        if part.kind == "pause":
            return _pause(said)
        if part.kind == "message":
            return _message(self._data, tenant, said)
        language = self._language(tenant, language)
        private = part.private is not None
        if part.kind == "sound":
            if not said.startswith(prompts.PREFIX):
                return _uploaded(self._data, tenant, said)
            name = said.removeprefix(prompts.PREFIX)
            if name == prompts.BEEP:
                return _BEEP_FILE
            built_in = prompts.text(name, language)
            if built_in is None:
                raise _Unspeakable("there is no such built-in prompt")
            said, language, private = built_in, prompts.language(name, language), False
        elif part.kind != "text":
            if not said.strip():
                raise _Unspeakable("it is empty")
            said = in_words(part.kind, said[: text.LONGEST], language, part.currency)
        words = text.plain(said)
        if not words:
            if said.strip():
                raise _Unspeakable("there is nothing in it that can be spoken")
            return ""
        voices = self._candidates(tenant, language, voice)
        if not voices:
            raise _Unspeakable(self._no_voice(language))
        cut = f"only its first {text.LONGEST:,} characters are spoken" if len(words) > text.LONGEST else ""
        return _Wish(words[: text.LONGEST], language, tuple(voices), private, cut)

    def _language(self, tenant: str, language: str) -> str:
        return (language or self._houses.get(tenant, House()).language).strip().replace("_", "-").lower()

    def _of(self, tenant: str) -> list[Engine]:
        piper = self._pipers.get(tenant)
        return [*([piper] if piper is not None else []), *self._engines]

    def _look(self, engine: Engine) -> dict[str, list[Voice]]:
        found: dict[str, list[Voice]] = {}
        for voice in engine.look():
            found.setdefault(voice.language.partition("-")[0], []).append(voice)
        self._voices[id(engine)] = found
        return found

    def _looked(self, engine: Engine) -> dict[str, list[Voice]]:
        found = self._voices.get(id(engine))
        return self._look(engine) if found is None else found

    def _candidates(self, tenant: str, language: str, voice: str) -> list[tuple[Engine, Voice]]:
        """One voice of each engine that speaks the language: the wanted ones first, those that fail last."""
        if not _LANGUAGE.fullmatch(language):
            return []
        usual = self._houses.get(tenant, House()).voices
        base = language.partition("-")[0]
        wanted = [voice, usual.get(language, ""), usual.get(base, "")]
        found: list[tuple[int, int, Engine, Voice]] = []
        for engine in self._of(tenant):
            able = [
                (
                    _near(one.language, language, base),
                    wanted.index(one.name) if one.name in wanted else 3,
                    one,
                )
                for one in self._voices.get(id(engine), {}).get(base, ())
            ]
            if able:
                _, rank, best = min(able, key=lambda it: (it[1], it[0]))
                found.append((int(self._rests(engine)), rank, engine, best))
        found.sort(key=lambda it: it[:2])
        return [(engine, best) for _, _, engine, best in found]

    def _no_voice(self, language: str) -> str:
        shown = language if _LANGUAGE.fullmatch(language) else "this language"
        return f"no voice for {shown}: install espeak-ng, or name a Piper model in speech.piper"

    def _rests(self, engine: Engine) -> bool:
        failures, last = self._failures.get(id(engine), (0, 0.0))
        return failures >= _TRIES and _time.monotonic() - last < _REST

    def _path(self, wish: _Wish, engine: Engine, voice: Voice) -> str:
        what = (_FORM, engine.name, engine.version, voice.name, voice.language, wish.words)
        # Whoever sees the names of private files mustn't be able to try out what is in them.
        key = self._salt if wish.private else b""
        name = hashlib.blake2b("\0".join(what).encode(), digest_size=20, key=key).hexdigest()
        return f"{FOLDER}/{PRIVATE if wish.private else wish.language}/{name}.wav"

    # --- making it ---

    async def _sound(self, tenant: str, part: Part, language: str, voice: str) -> tuple[str, str]:
        """Path and problem: one of them is empty, or both."""
        try:
            async with asyncio.timeout(PATIENCE):
                wish = self._wish(tenant, part, language, voice)
                if wish == _BEEP_FILE and not self._cache.find(_BEEP_FILE):
                    await asyncio.to_thread(self._cache.keep, _BEEP_FILE, audio.wav(audio.beep()))
                if isinstance(wish, str):
                    return wish, ""
                return await self._speak(wish), wish.problem
        except _Unspeakable as problem:
            return "", str(problem)
        except TimeoutError:
            return "", f"nobody had spoken it after {PATIENCE:g} s"
        except OSError as problem:
            log.error("speech: the data folder can't be written: %s", problem.strerror)
            return "", f"it can't be kept: {problem.strerror}"

    async def _speak(self, wish: _Wish) -> str:
        """Raises _Unspeakable, OSError."""
        problems = []
        for engine, voice in wish.voices:
            path = self._path(wish, engine, voice)
            if self._cache.find(path):
                return path
            task = self._making.get(path)
            if task is None:
                task = self._making[path] = asyncio.create_task(self._make(path, wish.words, engine, voice))
                task.add_done_callback(partial(self._made, path))
            try:
                # Who gives up waiting doesn't take it from the others.
                await asyncio.shield(task)
            except (EngineProblem, audio.NoSpeech) as problem:
                problems.append(f"{engine.name}: {problem}")
                continue
            return path
        raise _Unspeakable("; ".join(problems))

    def _made(self, path: str, task: asyncio.Task[None]) -> None:
        self._making.pop(path, None)
        if not task.cancelled():
            task.exception()

    async def _make(self, path: str, words: str, engine: Engine, voice: Voice) -> None:
        """Raises EngineProblem, NoSpeech, OSError."""
        said = []
        for piece in text.pieces(words):
            try:
                async with self._gate:
                    pcm, rate = await engine.speak(piece, voice)
            except EngineProblem as problem:
                failures, _ = self._failures.get(id(engine), (0, 0.0))
                self._failures[id(engine)] = failures + 1, _time.monotonic()
                log.warning("speech: %s, voice %s: %s", engine.name, voice.name, problem)
                raise
            said.append(await asyncio.to_thread(audio.made_alike, pcm, rate))
        self._failures.pop(id(engine), None)
        await asyncio.to_thread(self._cache.keep, path, audio.wav(audio.joined(said)))

    async def _opened(self) -> None:
        if self._open:
            return
        if self._opening is None:
            self._opening = asyncio.create_task(self._do_open())
        await asyncio.shield(self._opening)

    async def _do_open(self) -> None:
        try:
            await asyncio.to_thread(self._cache.open)
        except OSError as problem:
            log.error("speech: the data folder can't be used: %s", problem.strerror)
        for engine in self._engines:
            if not await asyncio.to_thread(self._look, engine):
                log.warning("speech: %s is not here: prompts with text need it", engine.name)
        self._open = True

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._cache.sweep)


_BEEP_FILE = f"{FOLDER}/tones/{prompts.BEEP}.wav"


def _near(has: str, wanted: str, base: str) -> int:
    """How far a voice's language is from the wanted one."""
    return 0 if has == wanted else 1 if has == base else 2


def _said(part: Part) -> str:
    if part.private is None:
        return part.text
    value = part.private.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _pause(milliseconds: str) -> str:
    try:
        length = int(float(milliseconds))
    except (ValueError, OverflowError):
        raise _Unspeakable("it is no number of milliseconds") from None
    if length <= 0:
        return ""
    return f"silence:{min(length, _LONGEST_PAUSE)}"


def _message(data: Path, tenant: str, path: str) -> str:
    """What a caller of this tenant left, and nothing else that lies on this machine."""
    folder, _, name = path.rpartition("/")
    if folder != f"recordings/{tenant}" or not _RECORDED.fullmatch(name):
        raise _Unspeakable("this is no message of the house")
    file = data / path
    if file.is_symlink() or not file.is_file():
        raise _Unspeakable("the message is gone")
    return path


def _uploaded(data: Path, tenant: str, name: str) -> str:
    """As the voice channel names sounds. What never ends, can't be a part of something."""
    if name in ("", "default"):
        return "music:default"
    if name == "silence" or name.startswith("tone:"):
        raise _Unspeakable("a sound that never ends can't be part of a prompt")
    path = f"sounds/{tenant}/{name}.wav"
    if not _NAME.fullmatch(name) or not (data / path).is_file():
        raise _Unspeakable("there is no such sound")
    return path
