"""Letter → an e-mail: text and HTML, the chart inside, the keys in headers and body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from listener.text.chart import png_of
from listener.text.faces import WHOLE, letter_html, letter_text, main_view, subject_of
from listener.text.views import AlertView, Letter

MOST_KEY_HEADERS: Final = 100  # servers bound the size of headers; the body has all keys
GATHERED: Final = ("digest", "summary")  # kinds of letters that may be left
CHART_CID: Final = "stance-over-time"


def mail_of(letter: Letter, *, sender: Address, to: Sequence[Address], now: datetime, unsubscribe: str = "") -> EmailMessage:
    """The letter as a mail. Its Message-ID follows from the letter's key: a second copy of the same is known as one, and but
    for its date it is the same to the byte. unsubscribe: where one leaves digests and summaries; the rest has no such way."""
    mail = EmailMessage(policy=SMTP)
    domain = sender.domain.strip("[]") or "localhost"
    mail["Subject"] = subject_of(letter)
    mail["From"] = sender
    mail["To"] = list(to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{letter.key}@{domain}>"
    if thread := _thread(letter.views):
        mail["In-Reply-To"] = f"<{thread}@{domain}>"
        mail["References"] = f"<{thread}@{domain}>"
    mail["List-Id"] = f"koc-listener <alerts.koc-listener.{domain}>"
    if unsubscribe and letter.kind in GATHERED:
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        if unsubscribe.startswith("https:"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    for key in letter.alert_keys[:MOST_KEY_HEADERS]:
        mail["X-KOC-Alert-Key"] = key
    mail.set_content(letter_text(letter), cte="base64")
    chart = png_of(main_view(letter)) if letter.kind in WHOLE else None
    html = letter_html(letter, chart_src=f"cid:{CHART_CID}" if chart else "")
    mail.add_alternative(html, subtype="html", cte="base64")
    if chart:
        html_part = list(mail.iter_parts())[-1]
        assert isinstance(html_part, EmailMessage)
        html_part.add_related(chart, "image", "png", cid=f"<{CHART_CID}>", disposition="inline", filename="stance.png")
    for at, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"koc-{letter.key[:32]}-{at}")
    return mail


def _thread(views: Sequence[AlertView]) -> str:
    """What all mails of one case have in common, and without a case those of one KOC and brand: a root that mail programs
    thread by, though no mail has that id. It names nobody."""
    roots = {_root(view) for view in views}
    return roots.pop() if len(roots) == 1 else ""


def _root(view: AlertView) -> str:
    if view.case:
        return f"case-{view.case.key}"
    alert = view.alert
    about = (alert.koc_id, alert.brand) if alert.koc_id else (alert.key,)
    return f"koc-{sha256(json.dumps(about).encode()).hexdigest()[:32]}"
