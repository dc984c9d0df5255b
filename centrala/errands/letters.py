"""E-mails as flows send them: made safe. Nothing that a caller said can add a header, an address or a file."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from centrala.errands.order import Failed

MAX_TO = 20
MAX_SUBJECT = 500
MAX_BODY = 256 * 1024
MAX_ATTACHED = 25 * 1024 * 1024

# RFC 5321 4.1.2, without quoted local parts: nobody has one, and much goes wrong with them.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Letter:
    """What an e-mail says, before it is one."""

    to: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    attach: str = ""
    "Path below the data folder; empty for none."


def letter(to: str, subject: str, body: str, attach: str) -> Letter:
    """Raises Failed BAD_ADDRESS. Breaks in a subject become blanks; what is too long is cut off."""
    addresses = [checked(one) for one in re.split(r"[,;]", to) if one.strip()]
    if not addresses or len(addresses) > MAX_TO:
        raise Failed("BAD_ADDRESS", f"an e-mail needs one to {MAX_TO} addresses, with commas between")
    subject = _CONTROL.sub(" ", subject).strip()[:MAX_SUBJECT]
    body = _CONTROL_BUT_LINES.sub("", body)[:MAX_BODY].replace("\r\n", "\n").replace("\r", "\n")
    whole = [one.encode("utf-8", "replace").decode("utf-8") for one in (subject, body)]
    return Letter(tuple(dict.fromkeys(addresses)), whole[0], whole[1], attach)


def checked(address: str) -> str:
    """The address, its domain in ASCII. Raises Failed BAD_ADDRESS."""
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    labels = domain.split(".")
    if not at or len(local) > 64 or len(domain) > 253 or not _LOCAL.fullmatch(local):
        raise Failed("BAD_ADDRESS", "an address of an e-mail can't be read")
    if not all(_LABEL.fullmatch(one) for one in labels):
        raise Failed("BAD_ADDRESS", "the domain of an e-mail's address can't be read")
    return f"{local}@{domain}"


def attachment(data: Path, tenant: str, path: str) -> Path | None:
    """The recording of this path below the data folder; None where it isn't one of the tenant's, or is gone."""
    if not path or "\x00" in path:
        return None
    try:
        folder = (data / "recordings" / tenant).resolve()
        file = (data / path).resolve()
        if file.is_relative_to(folder) and file.is_file() and file.stat().st_size <= MAX_ATTACHED:
            return file
    except OSError:
        pass
    return None


def message(sent: Letter, sender: str, message_id: str, at: float, file: Path | None) -> EmailMessage:
    """The e-mail. Raises OSError where the file can't be read."""
    made = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    made["From"] = sender
    made["To"] = [_address(one) for one in sent.to]
    made["Subject"] = sent.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
    made["Message-ID"] = message_id
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: no out-of-office replies
    made.set_content(sent.body)
    if file is not None:
        made.add_attachment(file.read_bytes(), maintype="audio", subtype="wav", filename="message.wav")
    return made


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(username=local, domain=domain)
