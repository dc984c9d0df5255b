"""Every sentence with which the core refuses has a code, and every code a sentence in three languages."""

import ast
import asyncio
import re
from pathlib import Path

import pytest

import centrala.core
from centrala.core import facts as f
from centrala.core.agent import LONGEST_EXTENSION
from centrala.people import Role
from centrala.web import routes
from centrala.web.refusals import OTHER, REASONS, code_of, sentence
from tests.unit.test_web_api import open_api, problem

pytestmark = pytest.mark.unit

CORE = Path(centrala.core.__file__).parent
ROUTES = Path(routes.__file__).parent
DESKTOP = Path(__file__).parents[2] / "desktop" / "src" / "i18n" / "refusals.ts"


def said(path: Path, function: str = "refused") -> set[str]:
    """Constants with which `refused` is called in a module, and sentences that stand there for it."""
    tree = ast.parse(path.read_text())
    words = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}  # docstrings
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words:
            if re.fullmatch(r"[A-Z][^\n]*\s[^\n]*\.", node.value):
                found.add(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
            reason = node.args[1] if len(node.args) > 1 else node.args[0]
            if isinstance(reason, ast.JoinedStr):
                made = ast.unparse(reason)
                assert "LONGEST_EXTENSION" in made, (
                    f"{path.name}: a sentence with values needs a code: {made}"
                )
                found.add(eval(made, {"LONGEST_EXTENSION": LONGEST_EXTENSION}))
            elif isinstance(reason, ast.Constant):
                found.add(str(reason.value))
            elif isinstance(reason, ast.IfExp):
                found |= {
                    str(one.value) for one in (reason.body, reason.orelse) if isinstance(one, ast.Constant)
                }
    return found


def test_each_sentence_of_the_core_has_a_code() -> None:
    # What centre.py refuses is told by settings and timers, never by a page.
    modules = [path for path in sorted(CORE.glob("*.py")) if path.name != "centre.py"]
    sentences = {one for path in modules for one in said(path)}
    assert len(sentences) > 40, "the test finds what it looks for"
    assert {one for one in sentences if one not in REASONS} == set()
    here = {
        one
        for path in (ROUTES / "desk.py", ROUTES / "callbacks.py", ROUTES / "owed.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "refused"
        for one in [node.args[0].value]  # type: ignore[attr-defined]
    }
    assert len(here) >= 6
    assert here <= set(REASONS)
    assert set(REASONS) <= sentences | here, "a sentence that nobody says any more"
    assert code_of("something new.") == OTHER
    assert all(re.fullmatch(r"[A-Z]+(-[A-Z]+)*", one) for one in REASONS.values())


def test_each_code_has_a_sentence_in_the_pages() -> None:
    text = DESKTOP.read_text()
    shown = set(re.findall(r"^  '?([A-Z][A-Z-]+)'?: \[", text, re.MULTILINE))
    assert shown == {*REASONS.values(), OTHER}


def test_what_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_api(tmp_path) as api:
            await api.user("alice", Role.AGENT, agent="alice")
            async with api.as_("alice") as alice:
                body = problem(await alice.post("/api/v1/me/agent/finish"), "AGENT-REFUSED")
                assert body["reason"] == "NOT-IN-WRAP-UP"
                assert body["detail"] == sentence("not in wrap-up")
                body = problem(await alice.post("/api/v1/me/agent/hold"), "AGENT-REFUSED")
                assert body["reason"] == "NO-CONVERSATION"
                api.tell("acme", f.PhoneRegistered(api.house.now(), "alice"))
                await api.call("c1", "alice", over=False)
                body = problem(await alice.post("/api/v1/me/agent/swap"), "AGENT-REFUSED")
                assert body["reason"] == "NOT-ASKING"
                hold = {"contact": "nothing"}
                body = problem(await alice.post("/api/v1/me/agent/hold", json=hold), "AGENT-REFUSED")
                assert body["reason"] == "NOT-IN-IT"

    asyncio.run(main())
