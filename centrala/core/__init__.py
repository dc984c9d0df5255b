"""The pure core: facts in, events and commands out. No clock, no randomness, no I/O.

Start reading at `centre.py`; the words are in `facts`, `events` and `commands`.
"""
