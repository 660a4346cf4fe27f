"""Every table, once, for SQLite and PostgreSQL. Times are integer microseconds UTC, probabilities integers of
1e-4, lists JSON text.

The sentence of the program can be read here: posts → mentions → (dirty →) drift_states, drifts → alerts → deliveries, cases.
Only ids that outlive a restore are keys between people and tables; ``posts.id`` is internal and decides nothing.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


_ROW = BigInteger().with_variant(Integer, "sqlite")  # on SQLite the row's own number, no index besides


def _post() -> Column[int]:
    """The post that a row belongs to."""
    return Column("post", _ROW, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


# Facts about the database itself: time zone of its days, what its mentions were made with.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# ------------------------------------------------------------------------------------------------- collect, normalize

# kind … media are those of the first item: least (first_seen_at, text_hash, raw_sha256), whatever came when.
# A post whose version is not its scored_version is stale: its mentions have to be made (again).
posts = Table(
    "posts",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=False),
    Column("platform", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("author_key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("posted_at", BigInteger, nullable=False),
    Column("parent_id", Text),
    Column("root_id", Text),
    Column("text", Text, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("raw_sha256", Text, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("sources", Text, nullable=False),
    Column("edited", Boolean, nullable=False),
    Column("text_purged", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("scored_version", Integer, nullable=False),
)
Index("uq_posts_platform_post_id", posts.c.platform, posts.c.post_id, unique=True)
Index("ix_posts_author_key_posted_at", posts.c.author_key, posts.c.posted_at)
_no_comment = posts.c.kind != "comment"
Index("ix_posts_posted_at", posts.c.posted_at, sqlite_where=_no_comment, postgresql_where=_no_comment)
for _column in (posts.c.parent_id, posts.c.root_id):
    _given = text(f"{_column.name} IS NOT NULL")
    Index(f"ix_posts_{_column.name}", posts.c.platform, _column, sqlite_where=_given, postgresql_where=_given)
_stale = text("version <> scored_version")
Index("ix_posts_stale", posts.c.id, sqlite_where=_stale, postgresql_where=_stale)

# The record as first seen, compressed; apart, so that reading posts stays narrow. Gone past its horizon.
post_raws = Table(
    "post_raws",
    metadata,
    _post(),
    Column("stored_at", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)
Index("ix_post_raws_stored_at", post_raws.c.stored_at)

# Every text of a post that was edited; a post that has had one text has no row here.
post_texts = Table(
    "post_texts",
    metadata,
    _post(),
    Column("text_hash", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

post_counts = Table(
    "post_counts",
    metadata,
    _post(),
    Column("seen_at", BigInteger, primary_key=True),
    Column("likes", BigInteger),
    Column("comments", BigInteger),
    Column("reposts", BigInteger),
    Column("views", BigInteger),
    sqlite_with_rowid=False,
)

# When a post was looked for and was there no more. It stays as evidence; if it is seen later, it is not gone.
gone_posts = Table(
    "gone_posts",
    metadata,
    _post(),
    Column("gone_at", BigInteger, nullable=False),
)

# ------------------------------------------------------------------------------------------------------------- score

# day: ordinal of the local day under which this row is counted in brand_days; null where it is not counted.
mentions = Table(
    "mentions",
    metadata,
    _post(),
    Column("brand", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("is_rival", Boolean, nullable=False),
    Column("via", Text, nullable=False),
    Column("day", Integer),
    Column("neg", Integer, nullable=False),
    Column("neu", Integer, nullable=False),
    Column("pos", Integer, nullable=False),
    Column("favor", Integer, nullable=False),
    Column("against", Integer, nullable=False),
    Column("none", Integer, nullable=False),
    Column("cues", Text, nullable=False),
    Column("constructive", Boolean, nullable=False),
    Column("own_words", Boolean, nullable=False),
    Column("unscored", Text),
    Column("fingerprint", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("causes", Text, nullable=False, server_default=text("''")),  # codes, parted by blanks
    sqlite_with_rowid=False,
)

# The brand's mood, kept by differences of integers: no order of arrival can change a sum.
brand_days = Table(
    "brand_days",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("against", BigInteger, nullable=False),
    Column("none", BigInteger, nullable=False),
    Column("favor", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# ------------------------------------------------------------------------------------------------------------- watch

kocs = Table(
    "kocs",
    metadata,
    Column("koc_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("standing", Text, nullable=False, server_default=text("'active'")),
    Column("title", Text, nullable=False, server_default=text("''")),
)

# Posts match accounts by author key when they are read, so a roster that comes later, or goes, needs no rewriting.
accounts = Table(
    "accounts",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("koc_id", Text, ForeignKey("kocs.koc_id", ondelete="CASCADE"), nullable=False),
    Column("author_key", Text, nullable=False),
    Column("nickname", Text, nullable=False),
    Column("url", Text, nullable=False),
)
Index("ix_accounts_koc_id", accounts.c.koc_id)
Index("uq_accounts_author_key", accounts.c.author_key, unique=True)

# Under which keys the posts of an account may be stored: of its own id, and of the id as other tools hash it.
account_keys = Table(
    "account_keys",
    metadata,
    Column("author_key", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("koc_id", Text, ForeignKey("kocs.koc_id", ondelete="CASCADE"), nullable=False),
)
Index("ix_account_keys_koc_id", account_keys.c.koc_id)
Index("ix_account_keys_platform_account_id", account_keys.c.platform, account_keys.c.account_id)

# Whose history changed since it was last replayed. brand "" stands for every brand, koc_id "" for the brand itself.
dirty = Table(
    "dirty",
    metadata,
    Column("koc_id", Text, primary_key=True),
    Column("brand", Text, primary_key=True),
    Column("marks", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The least day of each brand whose mood changed since the KOCs it touches were marked.
mood_changes = Table(
    "mood_changes",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("day", Integer, nullable=False),
)

# Days on which the public spoke worse of a brand than before: the replay of the brand writes them, those of KOCs read them.
brand_shifts = Table(
    "brand_shifts",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

# The least day from which a brand's shifts changed since the KOCs they touch were marked: rows are added and taken, never
# changed, so that a replay of a brand waits for nobody.
shift_changes = Table(
    "shift_changes",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("brand", Text, nullable=False),
    Column("day", Integer, nullable=False),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("effective_at", BigInteger, nullable=False),
    Column("parameters", Text, nullable=False),
)

# Every try to calibrate, also those that changed nothing: the status tells from them what is expected, and what is due.
calibration_runs = Table(
    "calibration_runs",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("made_at", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("facts", Text, nullable=False),
)

# What the team says of KOCs by hand; rows are only added. One with takes_back ends the mark of that key.
koc_marks = Table(
    "koc_marks",
    metadata,
    Column("key", Text, primary_key=True),
    Column("koc_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("alert_key", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("takes_back", Text),
)
Index("ix_koc_marks_koc_id_brand", koc_marks.c.koc_id, koc_marks.c.brand)
Index("uq_koc_marks_takes_back", koc_marks.c.takes_back, unique=True)

drift_states = Table(
    "drift_states",
    metadata,
    Column("koc_id", Text, primary_key=True),
    Column("brand", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("mentions", Integer, nullable=False),
    Column("baseline", Float(53), nullable=False),
    Column("recent", Float(53), nullable=False),
    Column("last_at", BigInteger),
    Column("posterior", Float(53), nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("calibration", Text, nullable=False),
    Column("silent_from", BigInteger),
)

drifts = Table(
    "drifts",
    metadata,
    Column("koc_id", Text, primary_key=True),
    Column("brand", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("level", Text, nullable=False),
    Column("fired_at", BigInteger, nullable=False),
    Column("platform", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("turned_at", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False),
)

# ---------------------------------------------------------------------------------------------------- alert, respond

alerts = Table(
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("level", Text),
    Column("severity", Text, nullable=False),
    Column("koc_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("fired_at", BigInteger, nullable=False),
    Column("turned_at", BigInteger),
    Column("evidence", Text, nullable=False),
    Column("posts", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("superseded_at", BigInteger),
)
Index("ix_alerts_koc_id_brand", alerts.c.koc_id, alerts.c.brand)
Index("ix_alerts_fired_at", alerts.c.fired_at)

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("alert_key", Text, ForeignKey("alerts.key"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", BigInteger),
    Column("claimed_until", BigInteger),
    Column("sent_at", BigInteger),
    Column("error", Text, nullable=False),
    Column("in_doubt", Boolean, nullable=False, server_default=text("false")),
    Column("held", Text, nullable=False, server_default=text("''")),
    Column("told_in", Text, nullable=False, server_default=text("''")),
)
Index("ix_deliveries_alert_key", deliveries.c.alert_key)
Index("ix_deliveries_sent_at", deliveries.c.sent_at)
Index("ix_deliveries_state_next_try_at", deliveries.c.state, deliveries.c.next_try_at)

# Who took an alert on: one row an alert, the first one's.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("alert_key", Text, ForeignKey("alerts.key"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
)

# What nobody wants to hear of until then; "" means any. A row with lifts ended the mute of that key, at its at.
mutes = Table(
    "mutes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("koc_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("lifts", Text),
)
Index("uq_mutes_lifts", mutes.c.lifts, unique=True)

# Every time that a delivery was due and kept back, and why.
delivery_holds = Table(
    "delivery_holds",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("delivery_key", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)
Index("ix_delivery_holds_delivery_key", delivery_holds.c.delivery_key)

cases = Table(
    "cases",
    metadata,
    Column("key", Text, primary_key=True),
    Column("brand", Text, nullable=False),
    Column("koc_id", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("alerts", Text, nullable=False),
    Column("recovered_at", BigInteger),
    Column("owner", Text, nullable=False, server_default=text("''")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("platform", Text, nullable=False, server_default=text("''")),
    Column("post_id", Text, nullable=False, server_default=text("''")),
    Column("verdict", Text, nullable=False, server_default=text("''")),
    Column("merged_into", Text, nullable=False, server_default=text("''")),
    Column("log_head", Text, nullable=False, server_default=text("''")),  # hash of the last entry of its log
    Column("members", Text, nullable=False, server_default=text("'[]'")),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("closed_at", BigInteger),
    Column("entries", Integer, nullable=False, server_default=text("0")),  # how many its log has
)
Index("ix_cases_koc_id_brand", cases.c.koc_id, cases.c.brand)

# Rows are only added, triggers see to it; each holds the hash of the one before it in its case.
case_steps = Table(
    "case_steps",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("case_key", Text, ForeignKey("cases.key"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("link", Text, nullable=False, server_default=text("''")),
    Column("before", Text, nullable=False, server_default=text("''")),
    Column("hash", Text, nullable=False, server_default=text("''")),
    Column("data", Text, nullable=False, server_default=text("'{}'")),
)
Index("ix_case_steps_case_key", case_steps.c.case_key)

# ---------------------------------------------------------------------------------- the roster's life: rows only added

# Every change of the roster: who, when, from what to what. The database refuses to change or take a row of these tables
# (see `storage.append_only`); what is true now is the sum of the rows.
koc_changes = Table(
    "koc_changes",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("koc_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("note", Text, nullable=False),
)
Index("ix_koc_changes_koc_id", koc_changes.c.koc_id)

# fen: hundredths of a yuan. starts, ends, due: ordinals of local days.
agreements = Table(
    "agreements",
    metadata,
    Column("key", Text, primary_key=True),
    Column("koc_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("deliverables", Text, nullable=False),
    Column("starts", Integer),
    Column("ends", Integer),
    Column("fen", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
)
Index("ix_agreements_koc_id", agreements.c.koc_id)

agreement_events = Table(
    "agreement_events",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("agreement_key", Text, ForeignKey("agreements.key"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
Index("ix_agreement_events_agreement_key", agreement_events.c.agreement_key)

promises = Table(
    "promises",
    metadata,
    Column("key", Text, primary_key=True),
    Column("koc_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("to_whom", Text, nullable=False),
    Column("is_ours", Boolean, nullable=False),
    Column("due", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
)
Index("ix_promises_koc_id", promises.c.koc_id)

promise_events = Table(
    "promise_events",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("promise_key", Text, ForeignKey("promises.key"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due", Integer),
)
Index("ix_promise_events_promise_key", promise_events.c.promise_key)

# Contacts, recognition and the steps of an exit.
koc_log = Table(
    "koc_log",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("koc_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("about", Text, nullable=False),
)
Index("ix_koc_log_koc_id", koc_log.c.koc_id)

# What people did with strangers found through a public link.
nominations = Table(
    "nominations",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("author_key", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("act", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("koc_id", Text, nullable=False),
)
Index("ix_nominations_author_key", nominations.c.author_key)

# Authors who are kept out. One can be let in again only by taking the stone away, which the privacy log tells.
tombstones = Table(
    "tombstones",
    metadata,
    Column("author_key", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("who", Text, nullable=False),
)

# Who looked at, took away or handed out what is kept of a person. subject: no name, no account.
privacy_log = Table(
    "privacy_log",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("counts", Text, nullable=False),
)

# ------------------------------------------------------------------------------------------------------------ crawls

crawls = Table(
    "crawls",
    metadata,
    Column("crawl_id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("covered", Text, nullable=False),
)
Index("ix_crawls_source_started_at", crawls.c.source, crawls.c.started_at)

# Chats that were imported, with their ground: only ever added to.
imports = Table(
    "imports",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("posts", Integer, nullable=False),
    Column("basis", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("who", Text, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("posted_at", BigInteger),
    Column("state", Text, nullable=False),
)

# One budget of requests for each host, whatever process or source asks: when the next request may go out, and whether the
# host has refused us (refusals in a row; nobody asks before paused_until).
hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("next_at", BigInteger, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("paused_until", BigInteger),
    Column("refused_at", BigInteger),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
)

# Ways out, by name: failures in a row, until when nothing goes out (rests_until), and when messages went out lately (slots, a
# JSON list), so that all processes keep within what the receiver allows.
channels = Table(
    "channels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("rests_until", BigInteger),
    Column("failed_at", BigInteger),
    Column("sent_at", BigInteger),
    Column("error", Text, nullable=False),
    Column("slots", Text, nullable=False),
)

# When a crawl last read an account's timeline to the end: the difference between silence and not hearing.
coverage = Table(
    "coverage",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("covered_at", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

# ------------------------------------------------------------------------------------------------------------ crowds

# Posts clearly against a brand: in their own words, read, not mild. reach: most likes, comments and reposts together that any
# look has seen; null: none was shown.
hard_posts = Table(
    "hard_posts",
    metadata,
    Column("brand", Text, primary_key=True),
    _post(),
    Column("at", BigInteger, nullable=False),
    Column("platform", Text, nullable=False),
    Column("author_key", Text, nullable=False),
    Column("is_comment", Boolean, nullable=False),
    Column("fingerprint", BigInteger, nullable=False),
    Column("against", Integer, nullable=False),
    Column("reach", BigInteger),
    sqlite_with_rowid=False,
)
Index("ix_hard_posts_post", hard_posts.c.post)
Index("ix_hard_posts_author_key", hard_posts.c.author_key)
Index("ix_hard_posts_brand_at", hard_posts.c.brand, hard_posts.c.at)
Index("ix_hard_posts_brand_fingerprint", hard_posts.c.brand, hard_posts.c.fingerprint)

# The same by place: where people stand together, a source (s:name), a group's chat (g:name), the answers to one post (t:…).
crowd_posts = Table(
    "crowd_posts",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    _post(),
    sqlite_with_rowid=False,
)
Index("ix_crowd_posts_post", crowd_posts.c.post)

# The first mention of a brand, for or against, at a source or in a group: from then on its usual can be known.
crowd_starts = Table(
    "crowd_starts",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("first_at", BigInteger, nullable=False),
    Column("post", _ROW, nullable=False),
)

# From when on a place has to be looked at again (place "": reach and copies); rows are added, and taken by the brand's replay.
crowd_changes = Table(
    "crowd_changes",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("brand", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("ix_crowd_changes_brand_place", crowd_changes.c.brand, crowd_changes.c.place)

# What the signals of crowds found there: a cache, so that a replay reads only what has changed.
crowd_finds = Table(
    "crowd_finds",
    metadata,
    Column("brand", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("found", Text, nullable=False),
)

# Posts that were to be looked at again and could not be, since they were last seen.
failed_looks = Table(
    "failed_looks",
    metadata,
    _post(),
    Column("failed_at", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
)
