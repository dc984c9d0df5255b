"""What the `centrala config` command does: between the centre's file, the database, and another file.

Works while the centre runs: it looks every few seconds what the console saved. Raises ValueError with sentences.
"""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from centrala.people.changes import new_secret_id
from centrala.people.service import People, open_people
from centrala.people.store import CONSOLE, PeopleError
from centrala.settings import Settings, SettingsError, load
from centrala.settings.difference import as_yaml, differences, yaml_difference
from centrala.settings.editing import Edit, edited, replaced
from centrala.settings.overlay import (
    HIDDEN,
    THINGS,
    Saved,
    Tree,
    changed,
    is_secret,
    keys_of,
    lines_of,
    tree_of,
    value_at,
)
from centrala.settings.overlay import (
    Path as Key,
)
from centrala.settings.reading import again, tree
from centrala.settings.tree import compose


@dataclass(frozen=True, slots=True)
class _Centre:
    settings: Settings
    """Of the file alone."""
    saved: Saved


def diff(config: Path, data: Path, tenant: str | None, other: Path | None) -> str:
    """What the database adds to the file, as YAML; with `other`, what `apply` of it would change."""
    with closing(open_people(data)) as people:
        centre = _centre(config, people)
        parts = []
        for id in _tenants(centre, tenant):
            before = tree_of(tree(centre.settings, centre.saved), id)
            if other is None:
                text = yaml_difference(tree_of(tree(centre.settings), id), before)
            else:
                text = yaml_difference(
                    before, _tree_after(centre, id, _edits(centre, id, _wanted(other, id)))
                )
            if text:
                parts.append(f"# {id}\n{text}")
    return "\n".join(parts)


def export(config: Path, data: Path, tenant: str | None) -> str:
    """Everything that counts, as the `tenants` of a file. Secrets are references to variables, which must be set."""
    with closing(open_people(data)) as people:
        centre = _centre(config, people)
        trees = {}
        for id in _tenants(centre, tenant):
            found = tree_of(tree(centre.settings, centre.saved), id)
            for path in _secrets(found):
                if value_at(found, path) == HIDDEN:
                    found = changed(found, path, f"env:{variable(id, path)}")
            trees[id] = found
    return as_yaml({"tenants": trees})


def apply(config: Path, data: Path, tenant: str | None, other: Path) -> str:
    """Save what another file says of a tenant; gives a sentence to print."""
    said = []
    with closing(open_people(data)) as people:
        for id in _tenants(_centre(config, people), tenant):
            centre = _centre(config, people)
            current = people.version(id)
            assert current is not None
            edits = _edits(centre, id, _wanted(other, id))
            if not edits:
                said.append(f"{id}: nothing to change")
                continue
            given = lines_of(tree(centre.settings), id)
            done = edited(current.tree, edits, given, new_secret_id, references=True)
            if done.problems:
                raise ValueError("\n".join(f"{id}.{one.key}: {one.text}" for one in done.problems))
            before = tree_of(tree(centre.settings, centre.saved), id)
            saved = Saved({**centre.saved.trees, id: done.tree}, {**centre.saved.secrets, **done.secrets})
            try:
                after = again(centre.settings, saved)
            except SettingsError as wrong:
                raise ValueError(str(wrong)) from None
            changes = differences(before, tree_of(tree(after, saved), id))
            try:
                version = people.save(
                    id,
                    current.number,
                    done.tree,
                    done.secrets,
                    changes,
                    time.time(),
                    actor=CONSOLE,
                    address=CONSOLE,
                    comment=f"config apply {other.name}",
                )
            except PeopleError as problem:
                raise ValueError(str(problem)) from None
            said.append(
                f"{id}: {len(changes)} keys changed, version {version.number}; a running centre follows"
            )
    return "\n".join(said)


def undo(data: Path, tenant: str) -> str:
    """Go back to the version before; also where the file and the database don't fit together any more."""
    with closing(open_people(data)) as people:
        current = people.version(tenant)
        before = (
            people.version(tenant, current.number - 1) if current is not None and current.number else None
        )
        if current is None or before is None:
            raise ValueError(f"{tenant}: there is no version to go back to.")
        changes = differences(current.tree, before.tree)
        version = people.save(
            tenant,
            current.number,
            before.tree,
            {},
            changes,
            time.time(),
            actor=CONSOLE,
            address=CONSOLE,
            comment=f"undo: back to {before.number}",
        )
        return f"{tenant}: back to version {before.number}, saved as version {version.number}"


def variable(tenant: str, path: Key) -> str:
    """Name of the environment variable that an export has in the place of a secret."""
    of = path[1:] if path[0] in THINGS else path
    return re.sub(r"[^A-Z0-9]+", "_", f"CENTRALA_{tenant}_{'_'.join(of)}".upper())


def _centre(config: Path, people: People) -> _Centre:
    return _Centre(load(config), people.saved())


def _tenants(centre: _Centre, tenant: str | None) -> list[str]:
    if tenant is not None and tenant not in centre.settings.tenants:
        raise ValueError(f"There is no tenant {tenant} in {centre.settings.path}.")
    return list(centre.settings.tenants) if tenant is None else [tenant]


def _wanted(other: Path, tenant: str) -> Tree:
    """A tenant as another file has it. Its secrets must be references, and need not be there."""
    try:
        root = compose(other.read_text("utf-8-sig"), str(other))
    except (OSError, UnicodeDecodeError) as problem:
        raise ValueError(f"{other} can't be read ({problem}).") from None
    except SettingsError as wrong:
        raise ValueError(str(wrong)) from None
    found = tree_of(root, tenant)
    if not found:
        raise ValueError(f"{other}: there is no tenant {tenant}.")
    for path in _secrets(found):
        if value_at(found, path) == HIDDEN:
            raise ValueError(
                f"{other}: {tenant}.{'.'.join(path)}: secrets aren't taken from such files;"
                " expected a reference, env:NAME or file:PATH"
            )
    return found


def _edits(centre: _Centre, tenant: str, wanted: Tree) -> list[Edit]:
    given = lines_of(tree(centre.settings), tenant)
    now = centre.saved.trees.get(tenant, {})
    inherited = tree_of(tree(centre.settings), tenant)
    for path in _secrets(wanted):
        # What an export wrote in the place of a secret that the database holds.
        if value_at(wanted, path) == f"env:{variable(tenant, path)}" and isinstance(
            value_at(now, path), dict
        ):
            wanted = changed(wanted, path, value_at(now, path))
        elif value_at(wanted, path) == f"env:{variable(tenant, path)}" and (
            path[:3] in given or path[:1] in given
        ):
            wanted = changed(wanted, path, value_at(inherited, path))
    return replaced(now, wanted, given, inherited)


def _tree_after(centre: _Centre, tenant: str, edits: list[Edit]) -> Tree:
    given = lines_of(tree(centre.settings), tenant)
    done = edited(centre.saved.trees.get(tenant, {}), edits, given, new_secret_id, references=True)
    if done.problems:
        raise ValueError("\n".join(f"{tenant}.{one.key}: {one.text}" for one in done.problems))
    saved = Saved({**centre.saved.trees, tenant: done.tree}, centre.saved.secrets)
    return tree_of(tree(centre.settings, saved), tenant)


def _secrets(found: Tree) -> list[Key]:
    return [path for start, value in keys_of(found) for path in _secrets_in(start, value)]


def _secrets_in(path: Key, value: object) -> Iterator[Key]:
    if is_secret(path):
        yield path
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _secrets_in((*path, name), one)
