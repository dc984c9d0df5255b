"""Flows: what callers go through before somebody talks to them.

`graph` reads one from JSON, `check` finds what is wrong with it, `run` goes through it, `expression` reckons.
"""
