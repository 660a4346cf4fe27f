"""A desk for tests: real steps, scorer, detector and database; the clock and the channels are the test's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from listener import mentions, normalize, pipeline
from listener.alerts.owing import Ladder
from listener.alerts.policy import Policy
from listener.alerts.routing import Directory
from listener.channels.door import Channel
from listener.drift.rules import Rule
from listener.text.views import AlertView, view_of
from nlp import score as scorer
from spiders.files import BadLine
from spiders.items import Item
from storage.records import Account, Brand, Koc, StoredAlert
from storage.store import Store

KEY = b"a key of thirty-two bytes, no more"
NOW = datetime(2026, 10, 5, tzinfo=UTC)


@dataclass
class Bench:
    """A store with a desk, as a test wants it. brands may be changed between two imports."""

    store: Store
    brands: tuple[Brand, ...]
    channels: Mapping[str, Channel] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    clock: datetime = NOW
    key: bytes = KEY
    batch_size: int = 1000
    deliver_within: timedelta = timedelta(days=14)
    policy: Policy = field(default_factory=Policy)
    directory: Directory | None = None
    ladder: Ladder = field(default_factory=Ladder)
    stopping: Callable[[], bool] = lambda: False

    def desk(self) -> pipeline.Desk:
        """The desk, as `listener.app` would wire it."""
        owners = [one for brand in self.brands for one in (brand, *brand.rivals)]
        unmask = {normalize.at_token(self.key, n): n for owner in owners for n in mentions.at_names_of(owner)}
        own = {key: b.name for b in self.brands for p, a in b.accounts for key in normalize.author_keys_of(self.key, p, a)}
        self.store.prepare(mentions.brands_fingerprint(self.brands, self.about), scorer.loaded().version)
        return pipeline.Desk(
            store=self.store,
            brands=self.brands,
            finder=mentions.finder_of(self.brands, self.about, unmask, own),
            key=self.key,
            rule=Rule(),
            channels=tuple(self.channels),
            channel=self.channels.get,
            score=scorer.score_batch,
            now=lambda: self.clock,
            view=self.view,
            batch_size=self.batch_size,
            policy=replace(self.policy, deliver_within=self.deliver_within),
            directory=self.directory,
            ladder=self.ladder,
            stopping=self.stopping,
        )

    def view(self, stored: StoredAlert) -> AlertView:
        history = self.store.history(stored.alert.koc_id, stored.alert.brand)
        kocs = {koc.koc_id: koc for koc in self.store.kocs()}
        return view_of(stored, history, koc=kocs.get(stored.alert.koc_id))

    def take(self, items: Iterable[Item | BadLine], source: str = "import") -> tuple[pipeline.Listened, list[BadLine]]:
        """Import items as `listener import` does."""
        rejected: list[BadLine] = []
        return pipeline.listen(items, source, self.desk(), rejected.append), rejected

    def catch_up(self) -> None:
        """Make what lacks, replay who is dirty."""
        desk = self.desk()
        pipeline.score(desk)
        pipeline.watch(desk)

    def roster(self, kocs: Sequence[Koc]) -> None:
        """Put KOCs on the roster, their accounts under this bench's key."""
        self.store.save_kocs([replace(koc, accounts=tuple(self.account(a) for a in koc.accounts)) for koc in kocs])

    def account(self, account: Account) -> Account:
        own, *others = normalize.author_keys_of(self.key, account.platform, account.account_id)
        return replace(account, author_key=own, other_keys=tuple(others))

    def fingerprint(self, history: bool = False) -> str:
        """The current alerts with all they say, as bytes that must not depend on how the posts came in."""
        rows: list[Any] = []
        for one in self.store.alerts(history=history):
            a = one.alert
            posts = self.store.posts_of(a.posts)
            rows.append(
                [
                    a.key,
                    a.kind,
                    a.level,
                    a.severity,
                    a.koc_id,
                    a.brand,
                    a.fired_at.isoformat(),
                    str(a.turned_at),
                    dict(a.evidence),
                ]
                + [[k.platform, k.post_id, posts[k].text] for k in a.posts]
            )
        return json.dumps(rows, ensure_ascii=False, sort_keys=True)
