"""Foreign SIP programs, and Centrala itself, as things a test can start, ask and end.

`Sipp` plays a scenario from tests/data/sipp; `Baresip` is a telephone with sound; `Line` is the bare RTP
end of a call whose signalling sipp does; `Centre` is `centrala serve` in a process of its own. Each is a
context manager and ends what it started by process id, whatever happens inside.
"""

from bench.baresip import Baresip
from bench.centre import Centre
from bench.line import Line
from bench.sipp import Sipp, SippFailed
from bench.tones import dominant, level, share_of, tone

__all__ = ["Baresip", "Centre", "Line", "Sipp", "SippFailed", "dominant", "level", "share_of", "tone"]
