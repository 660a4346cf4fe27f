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
    """A KOC by id, on the roster or taken off it, or by a name that no other has; or, with a platform, whoever has that account
    there (id or address of the profile): a KOC whose only account it is, or was, is meant whole."""
    if not platform:
        return _koc(app, _id_of(app, who))
    handle = next(iter(handles_in(who.strip(), platform_named(platform), is_id=True)), None)
    if handle is None or not handle.account_id:
        raise RelationError(f"{who}: 不是账号ID，也不是主页链接 / neither an account id nor a profile's address")
    account = (handle.platform, handle.account_id)
    holders = {koc.koc_id: tuple((one.platform, one.account_id) for one in koc.accounts) for koc in app.store.kocs()}
    is_held = any(account in held for held in holders.values())
    for koc_id, held in (holders if is_held else app.store.privacy.former()).items():
        if held == (account,):
            return _koc(app, koc_id)
    return _subject(app, "", (account,))


def _id_of(app: App, who: str) -> str:
    kocs = app.store.kocs()
    if who in app.store.privacy.former() or any(koc.koc_id == who for koc in kocs):
        return who
    named = sorted(koc.koc_id for koc in kocs if koc.name == who)
    if len(named) > 1:
        ids = "、".join(named)
        raise RelationError(f"有多位 {who!r}，请写编号：{ids} / {len(named)} KOCs are called so, write the id: {ids}")
    return named[0] if named else who


def _koc(app: App, koc_id: str) -> Subject:
    held = app.store.privacy.former().get(koc_id)
    return app.store.privacy.koc(koc_id) if held is None else _subject(app, koc_id, held)


def _subject(app: App, koc_id: str, held: tuple[tuple[str, str], ...]) -> Subject:
    keys = [(key, platform) for platform, account_id in held for key in author_keys_of(app.key, platform, account_id)]
    return Subject(koc_id, held, tuple(keys))


def erase(app: App, subject: Subject, wish: Wish, by: By) -> Erased:
    """Take away all that is kept of a person and keep the person out from now on; what others said is judged anew.

    A KOC of several accounts, one of which objects, loses that one and stays with the others."""
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
