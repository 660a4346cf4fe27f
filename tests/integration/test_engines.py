"""Processes that work for us end with the one that they work for, however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.dask_cluster import until

SCRIPT = """
import os, time
from listener.engines import executor_of

if __name__ == "__main__":
    with executor_of(2) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text("utf-8").rpartition(")")[2].split()[0] == "Z")


def test_workers_of_a_process_that_was_killed_do_not_wait_for_ever(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
    until(lambda: not is_running(worker), seconds=20)
