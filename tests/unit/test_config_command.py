"""`centrala config`: between the file, the database and another file; secrets as references."""

import time
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from centrala.people import open_people
from centrala.people.changes import saved
from centrala.people.config import apply, diff, export, undo
from centrala.settings import load
from centrala.settings.editing import Edit, edited
from centrala.settings.overlay import lines_of
from centrala.settings.reading import tree

pytestmark = pytest.mark.unit

FILE = """\
tenants:
  acme:
    domain: acme.example
    agents:
      alice: {sip_password: file secret, skills: {polish: 5}}
      boris: {sip_password: {env: BORIS}}
    queues:
      sales: {agents: [alice, boris], wrap_up: 30s}
    trunks:
      carrier: {address: 192.0.2.1, register: {user: u, password: trunk secret}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("BORIS", "from outside")
    config = tmp_path / "centre.yaml"
    config.write_text(FILE)
    return config, tmp_path / "data"


def on_screen(config: Path, data: Path, *edits: tuple[str, object]) -> None:
    with closing(open_people(data)) as people:
        current = people.version("acme")
        assert current is not None
        ids = iter(f"id{n}" for n in range(9))
        given = lines_of(tree(load(config)), "acme")
        done = edited(
            current.tree,
            [Edit(tuple(path.split("/")), value) for path, value in edits],
            given,
            lambda: next(ids),
        )
        assert not done.problems
        people.save("acme", current.number, done.tree, done.secrets, [], time.time(), actor="x", address="x")


def test_what_is_exported_and_applied_again_changes_nothing(place: tuple[Path, Path], tmp_path: Path) -> None:
    config, data = place
    on_screen(
        config,
        data,
        ("agents/carol", {"sip_password": "screen secret", "name": "Carol: 1"}),
        ("queues/sales/ring_timeout", "20s"),
        ("numbers/+48221234567", {"queue": "sales"}),
    )
    text = export(config, data, None)
    for secret in ("file secret", "screen secret", "trunk secret", "from outside"):
        assert secret not in text
    acme = yaml.safe_load(text)["tenants"]["acme"]
    assert acme["agents"]["carol"]["sip_password"] == "env:CENTRALA_ACME_CAROL_SIP_PASSWORD"
    assert acme["agents"]["boris"]["sip_password"] == "env:BORIS"
    assert acme["trunks"]["carrier"]["register"]["password"] == "env:CENTRALA_ACME_CARRIER_REGISTER_PASSWORD"
    out = tmp_path / "out.yaml"
    out.write_text(text)
    before = load(config, None, saved(data))
    assert apply(config, data, None, out) == "acme: nothing to change"
    assert diff(config, data, None, out) == ""
    assert load(config, None, saved(data)) == before


def test_an_export_is_a_file_of_its_own_once_its_variables_are_set(
    place: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, data = place
    on_screen(
        config,
        data,
        ("agents/carol", {"sip_password": "screen secret"}),
        ("queues/night", {"agents": ["carol"]}),
    )
    out = tmp_path / "out.yaml"
    out.write_text(export(config, data, "acme"))
    for name, secret in {
        "ALICE_SIP_PASSWORD": "file secret",
        "CAROL_SIP_PASSWORD": "screen secret",
        "CARRIER_REGISTER_PASSWORD": "trunk secret",
    }.items():
        monkeypatch.setenv(f"CENTRALA_ACME_{name}", secret)
    assert load(out).tenants == load(config, None, saved(data)).tenants


def test_another_file_is_applied_and_taken_back(place: tuple[Path, Path], tmp_path: Path) -> None:
    config, data = place
    on_screen(config, data, ("queues/sales/ring_timeout", "20s"), ("queues/old", {"agents": ["alice"]}))
    wanted = yaml.safe_load(export(config, data, None))
    acme = wanted["tenants"]["acme"]
    acme["queues"]["sales"]["ring_timeout"] = "9s"
    del acme["queues"]["old"]
    acme["agents"]["dora"] = {"sip_password": "env:BORIS"}
    out = tmp_path / "out.yaml"
    out.write_text(yaml.safe_dump(wanted))
    shown = diff(config, data, None, out)
    assert "-      ring_timeout: 20s" in shown.replace("    ring", "      ring")
    assert "+  dora:" in shown
    assert "3 keys changed, version 2" in apply(config, data, None, out)
    tenant = load(config, None, saved(data)).tenants["acme"]
    assert (tenant.queues["sales"].ring_timeout, list(tenant.queues)) == (9.0, ["sales"])
    password = tenant.agents["dora"].sip_password
    assert password is not None
    assert password.reveal() == "from outside"
    assert undo(data, "acme") == "acme: back to version 1, saved as version 3"
    assert load(config, None, saved(data)).tenants["acme"].queues["old"].agents == ("alice",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda acme: acme["queues"]["sales"].update(wrap_up="5s"), "is given in the centre's file, line 8"),
        (lambda acme: acme["queues"].update(night={"agents": ["nobody"]}), "is not an agent of this tenant"),
        (
            lambda acme: acme["agents"].update(x={"sip_password": "plain"}),
            "secrets aren't taken from such files",
        ),
        (lambda acme: acme["agents"].update(x={"sip_password": "env:NOT_SET"}), "is not set"),
        (lambda acme: acme.update(queus={}), "unknown key"),
    ],
)
def test_what_cannot_be_applied_is_told_and_nothing_changes(
    place: tuple[Path, Path], tmp_path: Path, change: object, says: str
) -> None:
    config, data = place
    wanted = yaml.safe_load(export(config, data, None))
    change(wanted["tenants"]["acme"])  # type: ignore[operator]
    out = tmp_path / "out.yaml"
    out.write_text(yaml.safe_dump(wanted))
    with pytest.raises(ValueError, match=says):
        apply(config, data, None, out)
    assert saved(data).trees == {}
    for bad in ("", "[", "tenants: {}", "tenants: {acme: }"):
        out.write_text(bad)
        with pytest.raises(ValueError):
            apply(config, data, None, out)
    with pytest.raises(ValueError, match="no version to go back to"):
        undo(data, "acme")


def test_a_data_folder_that_is_not_there_has_nothing_saved(tmp_path: Path) -> None:
    assert saved(tmp_path / "none").trees == {}
    assert not (tmp_path / "none").exists()
