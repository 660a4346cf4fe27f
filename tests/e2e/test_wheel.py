"""The wheel, as a stranger gets it: built, installed into an environment of its own, run from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_wheel_works_in_a_clean_environment_and_from_another_folder(tmp_path: Path) -> None:
    source = tmp_path / "源 码"
    copy_of_the_tree(source)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (tmp_path / "dist").glob("koc_listener-*.whl")

    home = tmp_path / "环 境"
    # The dependencies are this environment's own; what is tested is that nothing of ours comes from the source tree.
    venv.EnvBuilder(with_pip=True, symlinks=True).create(home)
    python = home / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    ours = [p for p in sys.path if p.endswith("site-packages")]
    Path(site, "dependencies.pth").write_text("\n".join(f"import sys; sys.path.append({p!r})" for p in ours) + "\n")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr

    elsewhere = tmp_path / "别 处"
    elsewhere.mkdir()
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LISTENER_CONFIG")}

    def listener(*words: str, given: str = "") -> str:
        done = subprocess.run(
            [python, "-P", "-m", "listener", *words],
            cwd=elsewhere,
            env=environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = subprocess.run(
        [python, "-P", "-c", "import listener, spiders, nlp, storage, config; print(nlp.__path__, storage.__path__)"],
        cwd=elsewhere,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(home) in where
    assert str(ROOT) not in where
    listener("init", ".")
    listener("check")
    assert '"pos"' in listener("score", given='{"text": "真好用，回购第三次了", "target": "星澜"}\n')
    assert listener("alerts", "--format", "jsonl") == ""


def copy_of_the_tree(target: Path) -> None:
    """What a checkout would hold: tracked and new files, nothing that git ignores."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
