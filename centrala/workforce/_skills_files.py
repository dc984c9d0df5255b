"""Questions as files, YAML or JSON: types of calls and groups of agents, roles and demand."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from centrala.workforce._skills_model import AgentGroup, CallType
from centrala.workforce.errors import BadInput
from centrala.workforce.people import Role, Training
from centrala.workforce.staffing import Target

T = TypeVar("T")

TARGET = {"level": "service_level"} | {
    name: name for name in ("within", "definition", "max_abandon", "max_wait_chance", "mean_wait")
}


def read_skills(path: Path) -> dict[str, Any]:
    """Arguments of `staff_skills`: `types`, `groups` by name, perhaps `overall`. Raises BadInput with the place."""
    whole = _mapping(path, _loaded(path), "the file", ("types", "groups", "overall"))
    types = []
    for name, given in _mapping(path, whole.get("types"), "types").items():
        parts = dict(_mapping(path, given, f"types, {name}"))
        own = {key: parts.pop(key) for key in list(parts) if key in TARGET}
        if own or "target" in parts:
            parts["target"] = _target(path, own or parts["target"], f"types, {name}")
        types.append(_made(path, CallType, name, parts, f"types, {name}"))
    groups = [
        _made(path, AgentGroup, name, _mapping(path, given, f"groups, {name}"), f"groups, {name}")
        for name, given in _mapping(path, whole.get("groups"), "groups").items()
    ]
    found: dict[str, Any] = {"types": types, "groups": groups}
    if whole.get("overall") is not None:
        found["overall"] = _target(path, whole["overall"], "overall")
    return found


def read_people(path: Path) -> dict[str, Any]:
    """Arguments of `plan_people`. Raises BadInput with the place."""
    known = ("roles", "demand", "heads", "short_cost", "trainings", "training_places", "beyond")
    whole = _mapping(path, _loaded(path), "the file", known)
    found: dict[str, Any] = {
        "roles": [
            _made(path, Role, name, _mapping(path, given, f"roles, {name}"), f"roles, {name}")
            for name, given in _mapping(path, whole.get("roles"), "roles").items()
        ],
        "demand": _mapping(path, whole.get("demand"), "demand"),
    }
    if whole.get("heads") is not None:
        found["heads"] = {
            # JSON has no numbers for names.
            name: {
                int(tenure) if isinstance(tenure, str) and tenure.isdigit() else tenure: heads
                for tenure, heads in _mapping(path, given, f"heads, {name}").items()
            }
            for name, given in _mapping(path, whole["heads"], "heads").items()
        }
    if whole.get("trainings") is not None:
        if not isinstance(whole["trainings"], list):
            raise BadInput(f"{path}, trainings: a list is wanted")
        found["trainings"] = [
            _made(path, Training, None, _mapping(path, one, f"trainings, {number}"), f"trainings, {number}")
            for number, one in enumerate(whole["trainings"], 1)
        ]
    for name in ("short_cost", "training_places", "beyond"):
        if whole.get(name) is not None:
            found[name] = whole[name]
    return found


def _loaded(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: that is no YAML or JSON: {' '.join(str(error).split())}") from None


def _mapping(path: Path, value: Any, where: str, known: tuple[str, ...] = ()) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{path}, {where}: names with values are wanted")
    for key in value:
        if known and key not in known:
            raise BadInput(f"{path}, {where}: there is no {key}; known are {', '.join(known)}")
    return value


def _made(path: Path, kind: Callable[..., T], name: Any, parts: Mapping[Any, Any], where: str) -> T:
    known = tuple(one.name for one in fields(kind) if name is None or one.name != "name")  # type: ignore[arg-type]
    _mapping(path, parts, where, (*known, *(TARGET if kind is CallType else ())))
    try:
        return kind(**parts) if name is None else kind(name=str(name), **parts)
    except TypeError as error:
        missing = str(error).partition("argument")[2].lstrip("s: ")
        raise BadInput(f"{path}, {where}: wanted too: {missing or error}") from None


def _target(path: Path, given: Any, where: str) -> Target | None:
    if given is None:
        return None
    parts = _mapping(path, given, where, tuple(TARGET))
    return Target(**({"service_level": None} | {TARGET[key]: value for key, value in parts.items()}))
