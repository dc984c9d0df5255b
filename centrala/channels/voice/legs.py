"""A voice leg: what we must know of one call's party beside its SIP dialog, as a value that is stored with it."""

import msgspec

from centrala.media import messages as m


class VoiceLeg(msgspec.Struct, omit_defaults=True):
    """One party of a contact. Its id is also the id of its SIP dialog and of its leg in the media worker."""

    id: str
    tenant: str
    contact: str
    side: str = ""
    "Empty for the caller; for the other side the core's leg, of which this may be one branch of several."
    worker: int = 0
    port: int = 0
    remote: tuple[str, int] | None = None
    codec: str = "pcma"
    pcma: int = 8
    pcmu: int = 0
    dtmf: int = 101
    receive: bool = True
    send: bool = True
    mux: bool = False
    sdp: str = ""
    "What we said last."
    version: int = 1
    "Of its o= line."
    agent: str = ""
    "Whose phone it is."
    established: bool = False
    held: bool = False
    "The phone has put us on hold."
    trunk: str = ""
    "The trunk it goes over, for limits."
    tried: list[str] = []
    "Trunks that couldn't take this call before."
    user: str = ""
    "Caller: the number or name that calls."
    display: str = ""
    outside: str = ""
    "Caller: the number outside that the agent dialled or transferred to."
    rang: bool = False

    def set_leg(self) -> m.SetLeg:
        """The leg as the media worker shall have it."""
        return m.SetLeg(
            leg=self.id,
            port=self.port,
            remote=self.remote,
            codec="pcmu" if self.codec == "pcmu" else "pcma",
            pcma=self.pcma,
            pcmu=self.pcmu,
            dtmf=self.dtmf,
            receive=self.receive,
            send=self.send,
            rtcp_mux=self.mux,
        )


class StoredLeg(msgspec.Struct):
    """A row of the ledger's dialogs."""

    sip: bytes
    voice: VoiceLeg
    over: bool = False
    "We have hung up; what is left is that the peer hears of it."


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(StoredLeg)


def encode(sip: bytes, voice: VoiceLeg, over: bool = False) -> bytes:
    return _encoder.encode(StoredLeg(sip, voice, over))


def decode(data: bytes) -> StoredLeg:
    """Raises msgspec.MsgspecError for what isn't a stored leg."""
    return _decoder.decode(data)
