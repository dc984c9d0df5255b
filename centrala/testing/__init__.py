"""The kit for tests and simulations: phones, a carrier, agents, voices, a bad network, a clock that obeys.

See docs/reference/testing.md.
"""
