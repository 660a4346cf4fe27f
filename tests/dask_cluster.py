"""A Dask scheduler and workers on 127.0.0.1, started as an operator starts them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path


class Cluster:
    """Processes of the `dask` command line; their logs lie in the folder. A context manager."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.folder, self._environ, self._stack = folder, environ, ExitStack()
        self._file = folder / "scheduler.json"
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Cluster:
        self._start("scheduler", "--port", "0", "--scheduler-file", str(self._file))
        until(lambda: self._file.exists() and self._file.read_text("utf-8").rstrip().endswith("}"))
        self.address = str(json.loads(self._file.read_text("utf-8"))["address"])
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def worker(self) -> subprocess.Popen[bytes]:
        """One more worker, of one thread."""
        return self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--local-directory", str(self.folder))

    def _start(self, *what: str) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self.folder / f"{what[0]}.log").open("ab"))
        command = [str(Path(sys.executable).with_name("dask")), *what, "--host", "127.0.0.1", "--no-dashboard"]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=self._environ)
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)
