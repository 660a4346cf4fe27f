"""What somebody asks to see, to be taken away, or not to be collected any more: a KOC's, or one account's."""

from __future__ import annotations

import json
import os
from pathlib import Path

from listener.accounts import handles_in, platform_named
from listener.app import App
from listener.normalize import author_keys_of
from listener.relations.errors import RelationError
from storage.erasure import Subject
from storage.roster_records import By, Erased, Wish


def subject_of(app: App, who: str, platform: str = "") -> Subject:
    """A KOC by id; or, with a platform, whoever has that account there (id or address of the profile), on the roster or not."""
    if not platform:
        return app.store.privacy.koc(who)
    handle = next(iter(handles_in(who.strip(), platform_named(platform), is_id=True)), None)
    if handle is None or not handle.account_id:
        raise RelationError(f"{who}: 不是账号ID，也不是主页链接 / neither an account id nor a profile's address")
    keys = author_keys_of(app.key, handle.platform, handle.account_id)
    return Subject("", ((handle.platform, handle.account_id),), tuple((key, handle.platform) for key in keys))


def erase(app: App, subject: Subject, wish: Wish, by: By) -> Erased:
    """Take away all that is kept of a person and keep the person out from now on; what others said is judged anew.

    A KOC whose single account objects loses that account, and stays with the others."""
    if not by.note.strip():
        raise RelationError("写明原因（谁在何时要求）/ give the reason: who asked, and when")
    done = app.store.privacy.erase(subject, wish, by)
    app.catch_up()
    return done


def export(app: App, subject: Subject, file: Path, by: By) -> int:
    """Write all that is kept of a person into a new file that only its owner can read; returns how many rows.

    That it was handed out is in the privacy log."""
    if not by.note.strip():
        raise RelationError("写明原因 / give the reason")
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise RelationError(f"写不了新文件 / can't write a new file: {file}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        kept = app.store.privacy.export(subject, by)
        json.dump(kept, out, ensure_ascii=False, indent=1)
    return sum(map(len, kept.values()))


def allow(app: App, subject: Subject, by: By) -> int:
    """Let an account in again whose owner has changed their mind; returns how many of its keys were kept out."""
    if not by.note.strip():
        raise RelationError("写明原因（本人何时同意）/ give the reason: when the person agreed")
    return app.store.privacy.allow([key for key, _ in subject.keys], by)
