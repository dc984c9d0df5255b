"""Text to speech: engines behind one shape, words for numbers, a cache; what flows say becomes sound files."""

from centrala.speech.engines import Engine, EngineProblem, Espeak, Voice
from centrala.speech.piper import Piper
from centrala.speech.speech import House, Speech, Spoken

__all__ = ["Engine", "EngineProblem", "Espeak", "House", "Piper", "Speech", "Spoken", "Voice"]
