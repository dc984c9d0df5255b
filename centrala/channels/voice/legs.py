"""A voice leg: what we must know of one call's party beside its SIP dialog, as a value that is stored with it."""

from typing import cast, get_args

import msgspec

from centrala.media import messages as m


class VoiceLeg(msgspec.Struct, omit_defaults=True):
    """One party of a contact. Its id is also the id of its SIP dialog and of its leg in the media worker."""

    id: str
    tenant: str
    contact: str
    side: str = ""
    "Empty for the caller; for who is rung the core's leg, of which this may be one branch of several."
    worker: int = 0
    port: int = 0
    remote: tuple[str, int] | None = None
    codec: str = "pcma"
    pcma: int = 8
    pcmu: int = 0
    opus: int = -1
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
    "The number outside that this leg was rung at; of an agent's phone that calls outside, the one it calls."
    wanted: str = ""
    "A number outside that somebody in the contact wants to be rung next."
    inward: bool = False
    "It called us, though it isn't the customer: an agent's phone that calls somebody outside."
    rang: bool = False
    web: bool = False
    "A browser is at the other end: ICE, DTLS-SRTP."
    ufrag: str = ""
    "Ours for ICE, with its password."
    password: str = ""
    ours: str = ""
    "Fingerprint of our worker's certificate when they were drawn."
    peer_ufrag: str = ""
    fingerprint: str = ""
    "Of the browser's certificate."
    mid: str = "0"
    inband: bool = False
    "Keys are looked for as tones too."
    masked: str = ""
    "The variable whose digits the caller types, and nobody may see."
    digit: int = 0
    "Number of the last digit's event in the media worker: it may be told again after a restart."
    echo: bool = False
    "A line test: the caller hears itself, and the core never hears of it."

    @property
    def customer(self) -> bool:
        """The customer's own leg, whoever called whom."""
        return self.side in ("", self.contact)

    def set_leg(self) -> m.SetLeg:
        """The leg as the media worker shall have it."""
        return m.SetLeg(
            leg=self.id,
            port=self.port,
            remote=self.remote,
            codec=cast(m.Codec, self.codec) if self.codec in get_args(m.Codec) else "pcma",
            pcma=self.pcma,
            pcmu=self.pcmu,
            opus=self.opus,
            dtmf=self.dtmf,
            inband=self.inband,
            receive=self.receive,
            send=self.send,
            rtcp_mux=self.mux,
            ice=(self.ufrag, self.password) if self.web else None,
            peer_ufrag=self.peer_ufrag,
            fingerprint=self.fingerprint,
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
