"""A booking as a file for a calendar (RFC 5545). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

WIDEST = 75  # Octets of a line, without its end.
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def calendar_file(
    *, uid: str, stamp: datetime, starts_at: datetime, ends_at: datetime, title: str, place: str, text: str, url: str
) -> bytes:
    """One event. ``uid`` and ``stamp`` let a calendar that has an older one take its place."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Jifen//Bookings//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(uid)}",
        f"DTSTAMP:{_moment(stamp)}",
        f"DTSTART:{_moment(starts_at)}",
        f"DTEND:{_moment(ends_at)}",
        f"SUMMARY:{_text(title)}",
        f"LOCATION:{_text(place)}",
        f"DESCRIPTION:{_text(text)}",
        f"URL:{url}",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _text(text: str) -> str:
    """Nothing in it ends the line or the value; control characters have no place there at all."""
    kept = "".join(sign for sign in text if sign == "\n" or sign.isprintable())
    return kept.translate(_ESCAPED)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> Iterator[str]:
    """Lines of so many octets at most, never cut inside a character; each further one begins with a space."""
    part, width = "", 0
    for sign in line:
        octets = len(sign.encode())
        if width + octets > WIDEST:
            yield part
            part, width = " ", 1
        part, width = part + sign, width + octets
    yield part
