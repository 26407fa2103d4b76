"""Mail leaves through the outbox. ``console:`` prints it, ``smtp://user:password@host:port`` sends it."""

from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from app.foundation import outbox


@outbox.channel("mail")
def deliver(payload: dict[str, Any]) -> None:
    """Send one message: ``to``, ``subject``, ``text``. Raises ``OSError`` or ``SMTPException``; the outbox retries."""
    settings = current_app.config["SETTINGS"]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, payload["to"], payload["subject"]
    message.set_content(payload["text"])
    url = urlsplit(settings.mail_url)
    if url.scheme == "console":
        sys.stdout.write("--- mail ---\nTo: {to}\nSubject: {subject}\n\n{text}\n---\n".format(**payload))
        sys.stdout.flush()
        return
    transport = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with transport(url.hostname or "localhost", url.port or 0, timeout=20) as server:
        if url.scheme == "smtp+tls":
            server.starttls()
        if url.username:
            server.login(url.username, url.password or "")
        server.send_message(message)
