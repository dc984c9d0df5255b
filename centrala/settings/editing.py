"""Edits on the screen: what each may touch, and what is saved of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from centrala.settings.overlay import (
    FILE_ALONE,
    HIDDEN,
    OWN,
    THINGS,
    VALUES,
    Path,
    Tree,
    changed,
    is_secret,
    keys_of,
    value_at,
)
from centrala.settings.tree import SAVED, Problem, any_of, did_you_mean

REFERENCES = ("env:", "file:")


@dataclass(frozen=True, slots=True)
class Edit:
    """One key set, or taken away where `value` is None."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Edited:
    tree: Tree
    secrets: dict[str, str]
    """New ones, by the id that stands in the tree."""
    problems: tuple[Problem, ...]


def edited(
    tree: Tree,
    edits: Iterable[Edit],
    given: Mapping[Path, int],
    new_id: Callable[[], str],
    *,
    references: bool = False,
) -> Edited:
    """The saved tree after the edits. `given` are the keys of the file, with their lines.

    `references` says whether secrets may be references: they reach whatever the machine holds, so that they are
    for who has the machine, not for who administers one tenant of it.
    """
    secrets: dict[str, str] = {}
    problems: list[Problem] = []

    def keep(path: Path, value: Any, before: Any) -> Any:
        """The value with ids in the place of plain secrets."""
        if is_secret(path):
            if value == HIDDEN or value is None or (references and isinstance(value, dict)):
                return before if value == HIDDEN else value
            if not isinstance(value, str):
                problems.append(_problem(path, "expected a text"))
                return None
            if value.startswith(REFERENCES):
                if not references:
                    text = "a reference to a variable or file can stand in the file alone; expected the secret itself"
                    problems.append(_problem(path, text))
                return value
            id = new_id()
            secrets[id] = value
            return {"kept": id}
        if isinstance(value, dict):
            inner = before if isinstance(before, dict) else {}
            return {name: keep((*path, name), one, inner.get(name)) for name, one in value.items()}
        return value

    for edit in edits:
        problem = _refused(edit, given)
        if problem is not None:
            problems.append(_problem(edit.path, problem))
            continue
        path, value = edit.path, edit.value
        if path[0] in THINGS and len(path) == 2 and path in given and isinstance(value, dict):
            for key, one in value.items():  # a thing of the file: its further keys one by one
                inner = (*path, key)
                if inner in given:
                    problems.append(_problem(inner, _given(given[inner])))
                else:
                    tree = changed(tree, inner, keep(inner, one, value_at(tree, inner)))
            continue
        tree = changed(tree, path, keep(path, value, value_at(tree, path)))
    return Edited(tree, secrets, tuple(problems))


def _refused(edit: Edit, given: Mapping[Path, int]) -> str | None:
    """Why this can't be edited here; None when it can."""
    path, value = edit.path, edit.value
    names = (*OWN, *THINGS, *VALUES)
    if path[0] in FILE_ALONE:
        return "can be given in the centre's file alone"
    if path[0] not in names:
        return f"unknown key; expected one of {any_of(names)}{did_you_mean(path[0], names)}"
    wanted = 1 if path[0] in OWN else 3 if path[0] in THINGS else 2
    if len(path) != wanted and not (wanted == 3 and len(path) == 2):
        return "is no key that can be set; expected one such as queues.sales.wrap_up, numbers.201 or name"
    if wanted == 3 and len(path) == 2 and not (value is None or isinstance(value, dict)):
        return "expected a mapping of keys"
    if path in given and not (wanted == 3 and len(path) == 2 and value is not None):
        return _given(given[path])
    if (path[0],) in given:
        return _given(given[(path[0],)])
    return None


def _given(line: int) -> str:
    return f"is given in the centre's file, line {line}; change it there"


def _problem(path: Path, text: str) -> Problem:
    return Problem(SAVED, ".".join(path), text)


def replaced(tree: Tree, wanted: Tree, given: Mapping[Path, int], inherited: Tree) -> list[Edit]:
    """Edits that make `wanted` (a whole tenant, as in a file) out of the saved tree and the file.

    `inherited` is what the file alone gives: keys that are the same there are nobody's edit.
    """
    of_file, now, new = dict(keys_of(inherited)), dict(keys_of(tree)), dict(keys_of(wanted))
    edits: list[Edit] = []
    things = {path[:2] for path in new}
    for path in now:
        if path in new or path in given:
            continue
        gone = Edit(path[:2], None) if path[:2] not in things and path[:2] not in given else Edit(path, None)
        if gone not in edits[-1:]:
            edits.append(gone)
    for path, value in new.items():
        if path in of_file and (of_file[path] == value or (is_secret(path) and path in given)):
            continue
        if path in given and value == {}:
            continue
        if now.get(path) != value:
            edits.append(Edit(path, value))
    return edits


def conflicts(base: Tree, current: Tree, edits: Iterable[Edit]) -> list[Edit]:
    """Of the edits those whose key somebody else changed since `base`; `value` is what stands there now."""
    return [
        Edit(one.path, now)
        for one in edits
        if value_at(base, one.path) != (now := value_at(current, one.path)) and now != one.value
    ]
