"""`centrala demo`: a whole centre on this machine, with callers and agents who prove that they heard each other."""

from centrala.demo.run import demo

__all__ = ["demo"]
