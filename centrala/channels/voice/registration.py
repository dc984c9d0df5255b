"""Agents' phones: digest at the door, and the bindings of those that register."""

import logging
from collections.abc import Callable, Mapping

from centrala.channels.voice.doors import Doors
from centrala.core import facts as f
from centrala.protocols.sip.digest import DigestCredentials, Verdict
from centrala.protocols.sip.events import RegisterReceived
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.registrar import Binding, Refusal, Registrar, granted
from centrala.protocols.sip.stack import SipStack
from centrala.settings import Agent, Tenant

log = logging.getLogger(__name__)

Agents = Mapping[str, Agent]

STORED = "registrar/"
"Keys of stored bindings among the ledger's dialogs begin so."


class Registration:
    """One registrar per tenant, its bindings stored like dialogs."""

    def __init__(self, doors: Doors, stack: SipStack, tell: Callable[[str, f.Fact], None]) -> None:
        self._doors = doors
        self._stack = stack
        self._tell = tell
        self.registrars = {tenant: Registrar() for tenant in doors.tenants}
        self.changed: set[str] = set()
        self.owners: dict[int, tuple[str, str]] = {}
        "Connection → (tenant, agent) of web sockets whose page has signed in."
        self.asleep: set[int] = set()
        "Those of them whose page didn't react when it was rung."

    # --- the door ---

    def admit(
        self, key: str, user: str, host: str, auth: DigestCredentials | None, flow: Flow, now: float
    ) -> tuple[str, Agent] | None:
        """The agent that a request proves to come from; else None, and the request has got its answer.

        Names that don't exist are challenged like those that do: nobody learns here who works in the house.
        """
        if flow.connection in self.owners:
            return self._admit_page(key, user, host, flow, now)
        stack, bans = self._stack, self._doors.bans
        found = self._doors.agent_named(user, host, auth.realm if auth is not None else "")
        # Names that don't exist count by address alone, or they would fill the memory of names.
        keys = (*((f"user:{found[0]}/{user}",) if found is not None else ()), f"address:{flow.remote[0]}")
        # A phone that is registered from there is let in to prove itself: or others could lock it out by guessing.
        at_home = found is not None and any(
            binding.flow.remote[0] == flow.remote[0] for binding in self.bindings(found[0], user, now)
        )
        if not at_home and bans.banned(now, *keys):
            stack.refuse(key, 403, reason="Too many wrong passwords", now=now)
            return None
        tenant = found[0] if found is not None else next(iter(self._doors.tenants))
        realm = self._doors.tenants[tenant].domain
        if auth is None:
            stack.challenge(key, realm, now=now)
            return None
        verdict = Verdict.WRONG
        if found is not None and auth.username == user and found[1].sip_password is not None:
            verdict = stack.check_credentials(auth, found[1].sip_password.reveal(), realm, now)
        if verdict is Verdict.GOOD:
            bans.forgive(*keys)
            return found
        if verdict is Verdict.WRONG:
            bans.failed(now, *keys)
            log.warning("tenant %s: a phone gave a wrong password", tenant)
        stack.challenge(key, realm, stale=verdict is not Verdict.WRONG, now=now)
        return None

    def _admit_page(self, key: str, user: str, host: str, flow: Flow, now: float) -> tuple[str, Agent] | None:
        """A page can be the agent who signed in, and nobody else."""
        tenant, name = self.owners[flow.connection]
        settings = self._doors.tenants.get(tenant)
        agent = settings.agents.get(name) if settings is not None else None
        if settings is None or agent is None or (user, host.lower()) != (name, settings.domain):
            log.warning("tenant %s: a page wanted to be another agent", tenant)
            self._stack.refuse(key, 403, now=now)
            return None
        return tenant, agent

    # --- bindings ---

    def received(self, event: RegisterReceived, now: float) -> tuple[str, str] | None:
        """Answer a REGISTER; tenant and agent if it was carried out."""
        admitted = self.admit(event.key, event.user, event.host, event.auth, event.flow, now)
        if admitted is None:
            return None
        tenant, agent = admitted
        result = self.registrars[tenant].update(event, now)
        if isinstance(result, Refusal):
            self._stack.refuse(
                event.key, result.status, reason=result.reason, headers=result.headers, now=now
            )
            return None
        self._stack.accept_register(event.key, granted(result.bindings, now), now=now)
        self.registrars[tenant] = result.registrar
        if event.contacts or event.everything:
            self.changed.add(tenant)
            self.say(tenant, agent.id, now)
        return tenant, agent.id

    def woke(self, connection: int, now: float) -> None:
        """A page that slept says something: it can be rung again."""
        self.asleep.discard(connection)
        if connection in self.owners:
            self.say(*self.owners[connection], now)

    def bindings(self, tenant: str, user: str, now: float) -> list[Binding]:
        """Where the agent's phones are now, the latest registered first."""
        return list(self.registrars[tenant].lookup(user, now))

    def expire(self, now: float) -> None:
        """Forget what has run out, and say so."""
        for tenant, registrar in self.registrars.items():
            self._lose(tenant, *registrar.expire(now), now)

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Phones that registered over this connection can't be reached any more (RFC 5626 5.3)."""
        for tenant, registrar in self.registrars.items():
            self._lose(tenant, *registrar.drop_flow(flow), now)

    def reconsider(self, before: Mapping[str, Tenant], now: float) -> None:
        """The settings have changed: who has left, or has another password, must register anew to be rung.

        Pages have proven themselves by their session, and need no password.
        """
        for tenant, registrar in self.registrars.items():
            old, new = before[tenant].agents, self._doors.tenants[tenant].agents

            def over(binding: Binding, old: Agents = old, new: Agents = new) -> bool:
                was, now_is = old.get(binding.user), new.get(binding.user)
                if was is None or now_is is None:
                    return True
                return was.sip_password != now_is.sip_password and binding.flow.connection not in self.owners

            self._lose(tenant, *registrar.without(over), now)

    def _lose(self, tenant: str, left: Registrar, gone: tuple[Binding, ...], now: float) -> None:
        if gone:
            self.registrars[tenant] = left
            self.changed.add(tenant)
            for user in dict.fromkeys(binding.user for binding in gone):
                self.say(tenant, user, now)

    def say(self, tenant: str, user: str, now: float) -> None:
        """Tell whether the agent has a phone that is registered."""
        if self.registrars[tenant].lookup(user, now):
            self._tell(tenant, f.PhoneRegistered(now, user))
        else:
            self._tell(tenant, f.PhoneUnregistered(now, user))

    # --- storage ---

    def take_changed(self) -> list[tuple[str, str, bytes]]:
        """(key, tenant, value) of each registrar that changed."""
        changed = [
            (STORED + tenant, tenant, self.registrars[tenant].to_json()) for tenant in sorted(self.changed)
        ]
        self.changed.clear()
        return changed

    def restore(self, stored: dict[str, bytes], now: float) -> None:
        """Phones that are still registered stay so, and those whose time ran out are said to be gone.

        A connection died with the last run, by no fault of its phone: nothing is said of those here, see `Revival`.
        """
        for tenant in self.registrars:
            value = stored.get(STORED + tenant)
            if value is None:
                continue
            try:
                registrar = Registrar.from_json(value)
            except ValueError as problem:
                log.error("tenant %s: registrations are lost, phones must register anew: %s", tenant, problem)
                continue
            self.registrars[tenant] = registrar
            self._lose(tenant, *registrar.expire(now), now)
            for flow in {b.flow for some in registrar.users.values() for b in some if b.flow.reliable}:
                self.registrars[tenant], _ = self.registrars[tenant].drop_flow(flow)
                self.changed.add(tenant)
