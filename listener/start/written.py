"""What `listener start` writes down: the brand, a source, a channel. What stands in the settings already stays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import edit
from config import settings as config
from listener import workspace
from listener.start.questions import Answers
from storage.records import Koc

MAIL, HOOK, WEIBO = "mail", "hook", "weibo"


@dataclass(frozen=True, slots=True)
class Written:
    """The names of what was added to the settings; empty: nothing was."""

    source: str = ""
    channel: str = ""


def prepare(folder: Path, answers: Answers) -> Path:
    """The workspace's settings with the brand in them; a workspace that is there already is gone on with, and answers add to
    what it knows of the brand. Raises ConfigError where its settings are wrong."""
    path = folder / config.FILE
    if not path.is_file():
        path = workspace.create(folder)
    name, *others = answers.names
    there = next((one for one in config.load(path, os.environ).brands if one.name == name), None)
    brand: dict[str, Any] = {"name": name}
    if fresh := [one for one in others if there is None or one not in _words_of(there)]:
        brand["aliases"] = [*(there.aliases if there else ()), *fresh]
    if answers.rivals:
        rivals = [one.name for one in there.rivals] if there else []
        brand["rivals"] = [{"name": one} for one in dict.fromkeys([*rivals, *answers.rivals])]
    edit.put_brand(path, brand)
    return path


def _words_of(brand: config.Brand) -> set[str]:
    """All that the brand is known by."""
    return {brand.name, *brand.aliases, *brand.products, *brand.nicknames, *brand.homophones}


def add_source(path: Path, names: Sequence[str], kocs: Iterable[Koc]) -> str:
    """Write down the source that would hear the roster on Weibo, switched off, so that nothing is asked of it yet; returns
    its name, "" where nobody of the roster is there or a source hears them already."""
    sources = config.load(path, os.environ).sources
    is_wanted = any(account.platform == WEIBO for koc in kocs for account in koc.accounts)
    if not is_wanted or any(one.platform == WEIBO and one.accounts == "roster" for one in sources):
        return ""
    name = _free("微博", [one.name for one in sources])
    source = {"name": name, "platform": WEIBO, "enabled": False, "every": "2h", "accounts": "roster"}
    edit.put_source(path, source | {"queries": list(names[:1])})
    return name


def add_channel(path: Path, send_to: str) -> str:
    """Write down where alerts shall go, switched off, so that nothing is sent before a person has looked at it; returns its
    name, "" where nobody was named or a channel goes there already. The address of a webhook may hold a token: it stands in
    a file that its owner alone reads."""
    channels = config.load(path, os.environ).channels
    taken = [one.name for one in channels]
    if not send_to or any(_goes_to(one, send_to) for one in channels):
        return ""
    if not send_to.startswith(("http://", "https://")):
        name = _free(MAIL, taken)
        host = "smtp." + send_to.rpartition("@")[2]
        mail = {"name": name, "type": "email", "enabled": False, "host": host, "sender": send_to, "to": [send_to]}
        edit.put_channel(path, mail | {"user": send_to, "password_env": "SMTP_PASSWORD"})
        return name
    name = _free(HOOK, taken)
    secret, address = path.parent / "webhook.secret", path.parent / f"{name}.url.secret"
    workspace.make_webhook_secret(secret)
    address.unlink(missing_ok=True)  # of a channel that is gone; what replaces a file takes over who may read it
    edit.write_whole(address, send_to + "\n", mode=0o600)
    hook: Mapping[str, Any] = {"name": name, "type": "webhook", "enabled": False}
    edit.put_channel(path, {**hook, "url_file": address.name, "secret_file": secret.name})
    return name


def _goes_to(channel: config.Channel, send_to: str) -> bool:
    if isinstance(channel, config.Email):
        return send_to in channel.to
    return isinstance(channel, config.Webhook) and channel.url.missing is None and channel.url.reveal() == send_to


def _free(name: str, taken: Sequence[str]) -> str:
    """
    >>> _free("mail", ["mail", "mail-2"])
    'mail-3'
    """
    names = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(one for one in names if one not in taken)
