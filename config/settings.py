"""listener.toml and the environment → Settings: typed, checked, every default in its one home."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict
from pydantic.dataclasses import dataclass

from config import alerting
from config.alerting import Person as Person
from config.channels import TYPES as CHANNEL_TYPES
from config.channels import Apprise as Apprise
from config.channels import Channel as Channel
from config.channels import Email as Email
from config.channels import Robot as Robot
from config.channels import Webhook as Webhook
from config.channels import web_address
from config.checks import check, database_of, holds_password
from config.errors import ConfigError as ConfigError
from config.errors import Problem as Problem
from config.reading import Reading
from config.values import (
    Accounts,
    Address,
    CaseAddress,
    Columns,
    Cron,
    DaySpan,
    Duration,
    Language,
    Name,
    Options,
    OwnAccounts,
    Rivals,
    Scheduler,
    Tiers,
    Timezone,
    Whole,
    Words,
    at_least,
    secrets_in,
)
from config.values import Secret as Secret
from config.values import revealed as revealed
from config.values import sealed as sealed

FILE = "listener.toml"
KEY_BYTES = 32
_VALUES = ConfigDict(arbitrary_types_allowed=True, extra="forbid")


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class General:
    """``[listener]``. database: an address, ``sqlite:///…`` or ``postgresql://…``. case_url: where people open a case;
    ``{key}`` or ``{id}`` in it stands for the case's key. templates: a folder of message templates of your own, "" none."""

    SECRETS: ClassVar[Mapping[str, bool]] = {"database": True}

    timezone: Timezone = "Asia/Shanghai"
    language: Language = "zh-CN"
    database: str = field(default="sqlite:///listener.db", repr=False)
    case_url: CaseAddress = ""
    templates: str = ""


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Rival:
    """``[[brands.rivals]]``; a name alone will do: ``rivals = ["墨羽"]``."""

    name: Name
    aliases: Words = ()
    products: Words = ()


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Brand:
    """``[[brands]]``: what we listen for. accounts: the brand's own, as (platform, account id). media: of media and
    rivals, whose taking up a negative post is news."""

    name: Name
    aliases: Words = ()
    products: Words = ()
    nicknames: Words = ()
    homophones: Words = ()
    emoji: Words = ()
    categories: Words = ()
    claims: Words = ()
    accounts: OwnAccounts = ()
    media: OwnAccounts = ()
    rivals: Annotated[tuple[Rival, ...], Rivals] = ()


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Source:
    """``[[sources]]``: one thing we collect, at an interval (``every``) or by a cron line.

    about: the brand that all its posts speak of, "" none. accounts: ids on the platform, or "roster", every account that
    the roster has there.
    posts: single posts, by address or id. revisits: how many of its posts are looked at again each time, 0 none.
    options: what this platform's spider wants to know besides; a key that ends in ``_env`` or ``_file`` is taken from the
    environment or a file, and is a Secret under its name without the ending.
    The rest is told to the spider as it is: `spiders.events.CollectJob` explains it.
    """

    SECRETS: ClassVar[Mapping[str, bool]] = {"proxy": True}

    name: Name
    platform: Name
    enabled: bool = True
    every: Duration | None = None
    cron: Cron | None = None
    queries: Words = ()
    accounts: Accounts = ()
    urls: Words = ()
    posts: Words = ()
    about: str = ""
    comments: bool = True
    overlap_hours: Annotated[float, at_least(0, 2400)] = 72.0
    delay_seconds: Annotated[float, at_least(0, 600)] = 1.0
    timeout_seconds: Annotated[float, at_least(1, 600)] = 30.0
    retries: Annotated[Whole, at_least(0, 10)] = 2
    max_pages: Annotated[Whole, at_least(1)] = 100
    max_comment_pages: Annotated[Whole, at_least(0)] = 20
    revisits: Annotated[Whole, at_least(0, 10_000)] = 20
    contact: str = ""
    user_agent: str = ""
    base_url: Address = ""
    proxy: Annotated[Secret, AfterValidator(web_address)] = Secret()
    options: Options = field(default_factory=dict)

    @property
    def missing_options(self) -> tuple[Problem, ...]:
        """Secrets of its options that could not be read."""
        return tuple(secret.missing for secret in secrets_in(self.options) if secret.missing is not None)


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Export:
    """``[[exports]]``: how tables that some tool exports are read. platform: what all rows are of, "" where a column names it.
    columns: field of an item → the column, or the names that it may have: `spiders.exports.mapped.FIELDS`."""

    name: Name
    platform: str = ""
    kind: Literal["post", "comment", "repost"] = "post"
    columns: Columns


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Rules:
    """``[rules]``: what the detector promises, as false alarms in 1000 years of loyal advocates, and what is still sent.

    first_negatives: promised notices of a first negative post in 1000 years of loyal advocates, 0 = off. silent_days: the least
    time without a mention that is told as silence, 0 = off. storms: promised false opinion storms a place and year, 0 = off.
    spreads: posts in 1000 against a brand that are falsely said to go far, contagions: false ones per brand and year, 0 = off.
    expected_turn_rate: true turns in a KOC-year. min_mentions: below it nobody is called an advocate. deliver_within: an older
    turn is told in a summary only.
    """

    false_alarms_red: Annotated[float, at_least(0.01, 1000)] = 1.0
    false_alarms_amber: Annotated[float, at_least(0.01, 1000)] = 10.0
    first_negatives: Annotated[float, at_least(0, 100_000)] = 1000.0
    silent_days: Annotated[float, at_least(0, 3650)] = 60.0
    storms: Annotated[float, at_least(0, 100)] = 0.2
    spreads: Annotated[float, at_least(0, 100)] = 1.0
    contagions: Annotated[float, at_least(0, 10)] = 0.05
    expected_turn_rate: Annotated[float, at_least(0.0001, 1)] = 0.02
    min_mentions: Annotated[Whole, at_least(1, 100)] = 3
    deliver_within: Duration = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Privacy:
    """``[privacy]``: the file with the key that authors are hashed with, and for how many days what is kept."""

    key_file: Path = Path("listener.key")
    raw_days_strangers: Annotated[Whole, at_least(0, 36500)] = 30
    raw_days_kocs: Annotated[Whole, at_least(0, 36500)] = 365
    text_days: Annotated[Whole, at_least(30, 36500)] = 730


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Schedule:
    """``[schedule]``: when `listener run` does what belongs to no source."""

    deliver_every: Duration = timedelta(minutes=1)
    remind_every: Duration = timedelta(minutes=5)
    revisit_every: Duration = timedelta(minutes=10)
    upkeep: Cron = "30 4 * * *"
    calibrate: Cron = "0 5 1 * *"


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Promises:
    """``[promises]``: how many working days before a promise's day the team is reminded, and how many after it once more.
    holidays: whose free days are no working days, beside those of ``[alerts]``."""

    remind_days_before: Annotated[Whole, at_least(0, 60)] = 2
    remind_again_days_after: Annotated[Whole, at_least(1, 60)] = 5
    holidays: Literal["china", "weekends", "none"] = "china"


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class CaseTarget:
    """Spans of working time that cases keep: first negative post → case (by the clock on the wall), case → first answer, and
    each step after it."""

    found: Duration = timedelta(hours=24)
    answered: Duration = timedelta(hours=8)
    step: Duration = timedelta(hours=16)


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Cases:
    """``[cases]``: how soon cases are answered. urgent: each step of an accident, by the clock on the wall. remind_ahead: how
    long before a step is due. holidays: whose free days stop the clock. tiers: targets of their own, by a KOC's tier."""

    found: Duration = timedelta(hours=24)
    answered: Duration = timedelta(hours=8)
    step: Duration = timedelta(hours=16)
    urgent: Duration = timedelta(hours=1)
    remind_ahead: Duration = timedelta(hours=2)
    working_hours: DaySpan = (time(9), time(18))
    holidays: Literal["china", "weekends", "none"] = "china"
    tiers: Annotated[Mapping[str, CaseTarget], Tiers] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Engine:
    """``[engine]``. workers: processes that score and replay; crawl_workers: processes that read one source of several hosts;
    dask: address of a Dask scheduler whose workers do all that instead, "" none; batch_size: posts stored and scored at a time;
    model: a model of one's own (made by `listener nlp train`), the shipped one by default; embeddings: posts that it is unsure
    of are read again with sentence embeddings (the extra `embeddings`)."""

    workers: Annotated[Whole, at_least(1, 256)] = 1
    crawl_workers: Annotated[Whole, at_least(1, 64)] = 1
    dask: Scheduler = ""
    batch_size: Annotated[Whole, at_least(1, 100_000)] = 1000
    model: Annotated[Path | None, BeforeValidator(lambda given: given or None)] = None
    embeddings: bool = False


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Departments:
    """``[departments]``: who answers for what criticism is about. One name a cause, shown in alerts; "" shows none."""

    product: str = "产品部"
    after_sales: str = "客服部"
    logistics: str = "物流部"
    price: str = "电商运营部"
    marketing: str = "市场部"
    cooperation: str = "品牌合作部"

    @property
    def by_cause(self) -> tuple[tuple[str, str], ...]:
        """Each cause's code, as the scorer says it, with its department."""
        return (
            ("product", self.product),
            ("after-sales", self.after_sales),
            ("logistics", self.logistics),
            ("price", self.price),
            ("marketing", self.marketing),
            ("cooperation", self.cooperation),
        )


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Settings:
    """All that can be set. path: the file it was read from, None for defaults; folder: where relative paths begin."""

    path: Path | None = None
    folder: Path = Path()
    listener: General = General()
    brands: tuple[Brand, ...] = ()
    sources: tuple[Source, ...] = ()
    channels: tuple[Channel, ...] = ()
    exports: tuple[Export, ...] = ()
    alerts: alerting.Alerts = alerting.Alerts()
    people: tuple[alerting.Person, ...] = ()
    routes: tuple[alerting.Route, ...] = ()
    on_call: tuple[alerting.OnCall, ...] = ()
    rules: Rules = Rules()
    privacy: Privacy = Privacy()
    schedule: Schedule = Schedule()
    promises: Promises = Promises()
    cases: Cases = Cases()
    engine: Engine = Engine()
    departments: Departments = Departments()

    @property
    def missing_secrets(self) -> tuple[Problem, ...]:
        """Passwords and keys of enabled channels and sources that could not be read; `Secret.reveal` would raise them one by
        one."""
        on = [one for one in (*self.channels, *self.sources) if one.enabled]
        secrets = [getattr(one, name) for one in on for name in one.SECRETS]
        missing = [secret.missing for secret in secrets if secret.missing is not None]
        return (*missing, *(fault for source in self.sources if source.enabled for fault in source.missing_options))


SECTIONS: Mapping[str, Any] = {
    "listener": General,
    "rules": Rules,
    "privacy": Privacy,
    "schedule": Schedule,
    "promises": Promises,
    "cases": Cases,
    "engine": Engine,
    "departments": Departments,
    **alerting.SECTIONS,
}
TABLES: Mapping[str, Mapping[str, Any]] = {  # by the key "type" where there is a choice
    "brands": {"": Brand},
    "sources": {"": Source},
    "channels": CHANNEL_TYPES,
    "exports": {"": Export},
    **alerting.TABLES,
}


def load(path: Path | None, environ: Mapping[str, str], platforms: Collection[str] | None = None) -> Settings:
    """The settings of a file with the environment over it; without a file, the defaults of the current folder.

    platforms: those that there are spiders for; None leaves the sources' platforms unchecked. A secret that is not there
    is no error here but where it is needed: see `Settings.missing_secrets`. Raises ConfigError with every mistake at once.
    """
    if path is None:
        return parse("", Path.cwd(), environ, platforms)
    return parse(_text_of(path), path.absolute().parent, environ, platforms, path)


def parse(
    text: str, folder: Path, environ: Mapping[str, str], platforms: Collection[str] | None = None, path: Path | None = None
) -> Settings:
    """The settings in a text whose relative paths begin at ``folder``; see `load`."""
    reading = Reading(text, folder, environ, path)
    values = reading.read(SECTIONS, TABLES)
    check(reading.tables, reading.tell, platforms)
    alerting.check_people(reading.tables, reading.tell, reading.doc.get("alerts"))
    _settle_database(reading, values)
    _check_dask(reading, values)
    if reading.problems:
        raise ConfigError(reading.problems, path or "")
    return Settings(path=path, folder=folder, **values)


def _settle_database(reading: Reading, values: dict[str, Any]) -> None:
    """Check the database's address, also beside another mistake, and anchor its path."""
    key = ("listener", "database")
    general: General | None = values.get("listener")
    section = reading.doc.get("listener")
    written = section.get("database") if isinstance(section, dict) else None
    address = general.database if general else written
    if not isinstance(address, str):
        return
    if written == address and not reading.is_from_environment(key) and holds_password(address):
        way = "用 LISTENER_DATABASE、database_file 或 ~/.pgpass / use one of these"
        reading.tell(key, f"密码不写在这里 / the password does not stand here; {way}")
    try:
        settled = database_of(address, reading.folder)
    except ValueError as error:
        reading.tell(key, str(error))
    else:
        values["listener"] = general and replace(general, database=settled)


def _check_dask(reading: Reading, values: Mapping[str, Any]) -> None:
    engine: Engine | None = values.get("engine")
    general: General | None = values.get("listener")
    if engine and engine.dask and general and general.database.startswith("sqlite"):
        words = "Dask worker 要共用一个 PostgreSQL，不能是文件 / workers elsewhere can't share a file: use a PostgreSQL"
        reading.tell(("engine", "dask"), words)


def read_key(settings: Settings) -> bytes:
    """The workspace's key, from its file; ConfigError where it can't be read."""
    path = settings.privacy.key_file
    problem = ""
    try:
        key = bytes.fromhex(path.read_text("ascii"))
        if len(key) < KEY_BYTES:
            problem = f"密钥太短 / the key is too short: {path}"
    except FileNotFoundError:
        problem = f"没有密钥文件；从备份恢复，或 listener init 新建工作区 / no key file: restore it, or listener init: {path}"
    except OSError as error:
        problem = f"读不了密钥文件 / the key file can't be read: {path} ({error.strerror})"
    except ValueError:
        problem = f"密钥文件已损坏，从备份恢复 / the key file is damaged, restore it: {path}"
    if problem:
        raise ConfigError([Problem(None, "privacy.key_file", problem)], settings.path or "")
    return key


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        way = "先运行 listener init . / run: listener init ."
        raise ConfigError([Problem(None, "", f"没有这个文件 / there is no {path.name}; {way}")], path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            [Problem(line, "", "不是 UTF-8 编码，请另存为 UTF-8 / is not UTF-8: save it as UTF-8")], path
        ) from error
    except OSError as error:
        raise ConfigError([Problem(None, "", f"读不了 / can't be read: {error.strerror}")], path) from error
