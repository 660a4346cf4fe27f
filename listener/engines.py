"""Executors that work for us: processes of this machine, or workers of a Dask cluster; and what a worker knows of itself."""

from __future__ import annotations

import gc
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

from storage.database import without_password
from storage.records import StoreError
from storage.store import Store

log = logging.getLogger(__name__)

DISTRIBUTION = "koc-listener"
CONNECT_SECONDS = 10
CLOSE_SECONDS = 2
P = ParamSpec("P")
T = TypeVar("T")


class Reach(NamedTuple):
    """How a worker reaches the shared database. program: the version that the worker's must be, "" any."""

    url: str
    timezone: str
    program: str = ""


class Crew(Protocol):
    """Workers that read for one crawl."""

    def executor(self) -> Executor:
        """One that works; raises BrokenExecutor where there is none."""
        ...

    def renew(self, dead: Executor) -> None:
        """That one has died: the next is another."""
        ...

    def slots(self) -> int:
        """How many pieces can be worked on at once now."""
        ...


def program() -> str:
    """The version of this program."""
    return version(DISTRIBUTION)


def deaths() -> tuple[type[BaseException], ...]:
    """What a future raises whose worker has died: the work may be given to another."""
    died: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
    if "distributed" in sys.modules:
        from distributed import CancelledError as Withdrawn
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        died = (*died, Withdrawn, KilledWorker, CommClosedError)
    return died


# --------------------------------------------------------------------------------------------- processes of this machine


@contextmanager
def executor_of(workers: int) -> Iterator[Executor | None]:
    """Processes that work for us, None for this one alone. Spawned, so that no lock or socket of this process is inherited."""
    if workers <= 1:
        yield None
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin_pool) as executor:
        yield executor


def _begin_pool() -> None:
    collect_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def collect_seldom() -> None:
    """Have this process look for garbage in cycles at every 50,000 new objects, not at every 700: histories and verdicts are
    values without cycles, by the hundred thousand, and to walk through them again and again took a third of their loading."""
    gc.set_threshold(50_000, 20, 20)


class Processes:
    """A crew of this machine, for one crawl. A context manager: its end asks what still runs to stop, and waits for that."""

    def __init__(self, workers: int) -> None:
        self._workers, self._spawn = workers, get_context("spawn")
        self._stop = self._spawn.Event()
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def executor(self) -> Executor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._workers, mp_context=self._spawn, initializer=_begin_work, initargs=(self._stop,)
            )
        return self._executor

    def renew(self, dead: Executor) -> None:
        if dead is self._executor:
            self._executor = None
            dead.shutdown(wait=False, cancel_futures=True)

    def slots(self) -> int:
        return self._workers


_stop: Event | None = None  # in a worker of `Processes`: set when nobody wants its work any more


def _begin_work(stop: Event) -> None:
    global _stop
    _stop = stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool's worker whose parent was killed would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


# ------------------------------------------------------------------------------------------------------------------ Dask


class Dask(Executor):
    """The workers of a Dask cluster, through the standard interface; also a crew. Connected when first asked for something.

    What is submitted goes as one sealed parcel, so that Dask neither looks into it nor shows it on its pages."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Any = None
        self._executor: Executor | None = None
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        parcel = pickle.dumps((fn, args, kwargs))
        if not self.slots():  # it would wait for one for ever
            raise BrokenExecutor(f"Dask {self.address} 没有 worker / has no worker: start one with dask worker {self.address}")
        return self._connected().submit(_open_parcel, parcel)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            client, self._client, self._executor = self._client, None, None
        if client is not None:
            client.close(timeout=CLOSE_SECONDS)

    def executor(self) -> Executor:
        self._connected()
        return self

    def renew(self, dead: Executor) -> None:
        """Connect anew where the scheduler is gone; that a worker died is the scheduler's to mend."""
        with self._lock:
            is_lost = self._client is not None and self._client.status != "running"
        if is_lost:
            self.shutdown()

    def slots(self) -> int:
        self._connected()
        try:
            return sum(self._client.nthreads().values())
        except (OSError, AttributeError) as error:  # closed meanwhile, by us or by the scheduler
            raise BrokenExecutor(f"Dask {self.address}: {error}") from error

    def _connected(self) -> Executor:
        with self._lock:
            if self._executor is None:
                self._client = _client_of(self.address)
                self._executor = self._client.get_executor(pure=False)
            return self._executor


def _client_of(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        words = "没有安装 Dask / Dask is not installed: pip install 'koc-listener[dask]'"
        raise BrokenExecutor(words) from error
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name=DISTRIBUTION)
    except OSError as error:
        raise BrokenExecutor(f"连不上 Dask 调度器 / the Dask scheduler can't be reached: {address}: {error}") from error


def _open_parcel(parcel: bytes) -> Any:
    """What a Dask worker does with what was submitted."""
    fn, args, kwargs = pickle.loads(parcel)  # noqa: S301 - the scheduler and its workers trust each other: they run any code
    return fn(*args, **kwargs)


# ------------------------------------------------------------------------------------------------------------- in a worker


def unwanted() -> Callable[[], bool]:
    """Within a worker: whether nobody wants any more what it is working on now. May be asked from other threads."""
    if _stop is not None:
        return _stop.is_set
    if "distributed" not in sys.modules:
        return lambda: False
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # not in a task
        return lambda: False
    key, tasks = worker.get_current_task(), worker.state.tasks

    def is_cancelled() -> bool:
        task = tasks.get(key)
        return task is None or task.state == "cancelled" or worker.status.name != "running"

    return is_cancelled


def public_reach(url: str, timezone: str) -> Reach:
    """How workers of other machines reach the database. The address goes without its password: a worker takes
    ``LISTENER_DATABASE`` of its own environment in its place, or libpq finds the password (``PGPASSWORD``, ``~/.pgpass``)."""
    return Reach(without_password(url), timezone, program())


def store_of(url: str, timezone: str, program_wanted: str = "") -> Store:
    """A worker's own door to the database, open as long as the worker lives."""
    if not program_wanted:
        return _opened(url, timezone)
    if program_wanted != program():
        words = f"Dask worker 上的 koc-listener 是 {program()}，这里是 {program_wanted}：请装同一版本"
        raise StoreError(f"{words} / install the same version there")
    return _opened(os.environ.get("LISTENER_DATABASE") or url, timezone)


@cache
def _opened(url: str, timezone: str) -> Store:
    return Store.open(url, timezone=timezone)
