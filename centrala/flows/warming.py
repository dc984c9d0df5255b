"""What flows say to everybody alike, spoken before anybody calls: a prompt that is in the cache begins at once."""

from collections.abc import Iterable

from centrala.core.commands import Part
from centrala.core.flow.nodes import Flow
from centrala.core.specs import FlowSpec
from centrala.flows.checking import parsed, prompts
from centrala.speech import Speech
from centrala.speech.prompts import PREFIX


def ahead(flow: Flow) -> dict[str, list[Part]]:
    """Language → parts with nothing to be filled in; an empty language is the tenant's.

    What has no words of its own (numbers, built-in prompts) is said in every language of the flow.
    """
    parts = [one for prompt in prompts(flow) for one in prompt]
    languages = dict.fromkeys([flow.language, *(one for part in parts for one in part.texts if one)])
    found: dict[str, dict[Part, None]] = {}
    for part in parts:
        for language, template in part.texts.items():
            said = template.fill(lambda name: None)
            uploaded = part.kind == "sound" and not said.startswith(PREFIX)
            if not template.plain or not said.strip() or uploaded or part.kind == "pause":
                continue
            of = (language or flow.language,) if language or part.kind == "text" else tuple(languages)
            for one in of:
                found.setdefault(one, {})[Part(part.kind, said, None, part.currency)] = None
    return {language: list(these) for language, these in found.items()}


async def warm(speech: Speech, tenant: str, specs: Iterable[FlowSpec]) -> list[str]:
    """Speak ahead what these flows say; callers aren't kept waiting by it. Gives problems, in sentences."""
    problems: list[str] = []
    for spec in specs:
        flow = parsed(spec.graph)
        for language, parts in (ahead(flow) if flow is not None else {}).items():
            voice = flow.voice if flow is not None else ""
            said = await speech.prepare(tenant, parts, language, voice)
            problems += [f"flow {spec.id}: {one}" for one in said]
    return problems
