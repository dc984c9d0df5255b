"""Where a centre is reached: its sockets for SIP, for pages and for audio."""

from pathlib import Path
from typing import get_args

from centrala.settings import words
from centrala.settings.building import build
from centrala.settings.model import Https, Listen, Listener, MediaSettings, Transport
from centrala.settings.tree import (
    Mapping,
    Parser,
    Reported,
    Spot,
    Wrong,
    any_of,
    attempt,
    did_you_mean,
    shorten,
)

_TRANSPORTS: tuple[str, ...] = get_args(Transport)


def listen(spot: Spot, folder: Path) -> Listen:
    """Relative paths of certificates start at `folder`."""
    parsers: dict[str, Parser] = {
        "http": words.address(low=0),
        "https": lambda spot: _https(spot, folder),
        "trusted_proxies": words.list_of(words.network, "a list of networks"),
        "sip": words.list_of(lambda spot: _listener(spot, folder), 'a list such as ["udp:127.0.0.1:5060"]'),
        "media": _media,
    }
    given = spot.fields(parsers, "a mapping with the keys http, https, sip, media, trusted_proxies")
    listen = build(Listen, spot, given, parsers)
    places = [("http", *listen.http)] if listen.http else []
    places += [("https", *listen.https.address)] if listen.https else []
    if listen.http and not words.is_loopback(listen.http[0]) and not listen.trusted_proxies:
        given["http"].warn(
            "passwords and voices would cross the network unencrypted, and browsers give no microphone there;"
            " expected https, or 127.0.0.1 behind a proxy"
        )
    places += [(one.transport, one.host, one.port) for one in listen.sip]
    taken: dict[tuple[bool, str, int], str] = {}
    for transport, host, port in places:
        place = (transport == "udp", host, port)
        if port and place in taken:
            given.get("sip", spot).problem(
                f"{transport} and {taken[place]} can't both listen on {host} port {port};"
                " change one of the ports"
            )
        taken[place] = transport
        low, high = listen.media.ports
        if transport == "udp" and low <= port <= high:
            given.get("sip", spot).warn(
                f"udp port {port} is within listen.media.ports {low}-{high}; keep them apart"
            )
    return listen


def _https(spot: Spot, folder: Path) -> Https:
    pem = words.readable_file(folder)
    parsers: dict[str, Parser] = {"address": words.address(low=0), "certificate": pem, "key": pem}
    return build(Https, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def _listener(spot: Spot, folder: Path) -> Listener:
    """`udp:127.0.0.1:5060`, `{tls: "0.0.0.0:5061", certificate: …, key: …}`, `{address: "tls:…", …}`."""
    expected = "transport:host:port such as udp:127.0.0.1:5060, or a mapping with address, certificate, key"
    if not isinstance(spot.node, Mapping):
        return _placed(spot, spot.text(expected), None, None)
    pem = words.readable_file(folder)
    keys = ("address", *_TRANSPORTS, "certificate", "key")
    given = spot.fields(keys, expected)
    wheres = [name for name in given if name not in ("certificate", "key")]
    if len(wheres) != 1:
        raise Wrong(f"found {any_of(wheres) or 'no address'}; expected one of address, {any_of(_TRANSPORTS)}")
    where = wheres[0]
    files = {name: attempt(given[name], pem) for name in ("certificate", "key") if name in given}
    text = given[where].text(expected)
    text = text if where == "address" else f"{where}:{text}"
    if not all(good for good, _ in files.values()):
        raise Reported
    return _placed(spot, text, *(files.get(name, (True, None))[1] for name in ("certificate", "key")))


def _placed(spot: Spot, text: str, certificate: Path | None, key: Path | None) -> Listener:
    transport, _, rest = text.partition(":")
    place = words.split_address(rest.strip(), None, 0)
    transport = transport.strip().lower()
    if transport not in _TRANSPORTS or place is None:
        near = "" if transport in _TRANSPORTS else did_you_mean(transport, _TRANSPORTS)
        raise Wrong(
            f"{shorten(text)} is not a place to listen; expected transport:host:port such as"
            f" udp:127.0.0.1:5060 or tcp:[::1]:5060, the transport one of {any_of(_TRANSPORTS)}{near}"
        )
    if transport in ("tls", "wss"):
        if certificate is None or key is None:
            raise Wrong(
                f"{transport} needs a certificate and its key;"
                f' expected {{{transport}: "{rest.strip()}", certificate: FILE, key: FILE}}'
            )
    elif certificate or key:
        raise Wrong(f"found a certificate or key with {transport}; expected them only with tls and wss")
    return Listener(transport, *place, certificate, key)  # type: ignore[arg-type]


def _media(spot: Spot) -> MediaSettings:
    parsers: dict[str, Parser] = {
        "address": words.ip,
        "ports": words.port_range,
        "workers": words.integer(1, 64),
        "advertised_address": words.ip,
        "browser_codec": words.choice("a codec", ("g711", "opus")),
    }
    return build(MediaSettings, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)
