"""What if? The core that runs the centre, under a virtual clock, with simulated callers and agents.

    scenario = Scenario(
        queues=(QueueSpec("sales", agents=("ann", "bob"), wrap_up=10),),
        agents=(AgentModel(AgentSpec("ann")), AgentModel(AgentSpec("bob"))),
        arrivals=(Arrivals("sales", per_hour=40, handling=Exponential(120), patience=Exponential(90)),),
    )
    result = simulate(scenario, seed=1)
    print(result.service_level(20), result.interval("p_abandon"))

There is no model of routing in here: contacts go where `centrala.core` sends them.
"""

from centrala.sim.draws import Distribution, Erlang, Exponential, Fixed, Lognormal, Measured
from centrala.sim.result import ContactRecord, Interval, Result, replicate_results
from centrala.sim.run import replicate, simulate
from centrala.sim.scenario import AgentModel, Arrivals, Outage, Scenario, from_tenant

__all__ = [
    "AgentModel",
    "Arrivals",
    "ContactRecord",
    "Distribution",
    "Erlang",
    "Exponential",
    "Fixed",
    "Interval",
    "Lognormal",
    "Measured",
    "Outage",
    "Result",
    "Scenario",
    "from_tenant",
    "replicate",
    "replicate_results",
    "simulate",
]
