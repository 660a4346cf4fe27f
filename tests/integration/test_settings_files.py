"""listener.toml as a file: the example, the starter, edits that keep what a person wrote, secrets and keys in files."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.edit import EXAMPLE, put_brand, put_channel, put_section, put_source, read_brand, starter, write_whole
from config.settings import SECTIONS, TABLES, ConfigError, Rival, load, read_key

BRAND = {
    "name": "星澜",
    "aliases": [],
    "products": ["精油"],
    "rivals": [{"name": "墨羽", "products": ["护发素"]}, {"name": "青禾"}],
}


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "中文 空格" / "listener.toml"
    path.parent.mkdir()
    path.write_text(starter(), "utf-8")
    return path


# ------------------------------------------------------------------------------------------- example and starter


def _named(line: str) -> str | None:
    match = re.match(r"#?(\w+) = ", line)
    return match[1] if match else None


def _keys_in_example() -> dict[str, set[str]]:
    """Header (of channels, with their type) → the keys that stand under it, commented or not."""
    keys: dict[str, set[str]] = {}
    header = ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if line.startswith("["):
            header = line.split("#")[0].strip(" []")
        elif name := _named(line):
            keys.setdefault(header, set()).add(name)
            if name == "type":
                keys[f"channels {line.split(chr(34))[1]}"] = keys.pop(header)
                header = f"channels {line.split(chr(34))[1]}"
    return keys


def _expected() -> dict[str, set[str]]:
    shapes = {**SECTIONS, "brands": TABLES["brands"][""], "sources": TABLES["sources"][""], "brands.rivals": Rival}
    shapes |= {table: TABLES[table][""] for table in ("exports", "people", "routes", "on_call")}
    kinds = TABLES["channels"]
    robots = {kind for kind, shape in kinds.items() if shape is kinds["wecom"]} - {"wecom"}  # all three are written so
    assert robots == {"dingtalk", "feishu"}
    shapes |= {f"channels {kind}": shape for kind, shape in kinds.items() if kind not in robots}
    expected = {}
    for header, shape in shapes.items():
        secrets = getattr(shape, "SECRETS", {})
        names = {f.name for f in fields(shape) if f.name != "rivals" and secrets.get(f.name, True)}
        expected[header] = names | {name + way for name in secrets for way in ("_env", "_file")}
    return expected


def test_every_setting_stands_in_the_example_and_nothing_else():
    shown = _keys_in_example()
    options = {header for header in shown if header.startswith("sources.options")}  # a platform's own, its spider checks them
    assert {header: keys for header, keys in shown.items() if header not in options} == _expected()


def test_the_example_can_be_loaded():
    settings = load(EXAMPLE, {"SMTP_PASSWORD": "x"}, ["weibo", "feed", "folder", "json_api"])
    assert len(settings.brands) == 1
    assert [channel.type for channel in settings.channels] == ["email", "webhook", "wecom", "apprise"]


def test_what_the_example_shows_as_default_is_the_default(tmp_path: Path):
    shown = re.sub(r'^#(\w+ = (?!""))', r"\1", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    assert shown.count("\n#") < 80
    path = tmp_path / "shown.toml"
    path.write_text(shown, "utf-8")
    environ = {"SMTP_PASSWORD": "x"}
    one, other = load(path, environ), load(EXAMPLE, environ)
    assert (one.rules, one.schedule, one.engine, one.brands, one.sources) == (
        other.rules, other.schedule, other.engine, other.brands, other.sources,
    )  # fmt: skip
    assert one.privacy.text_days == other.privacy.text_days
    assert replace(one.channels[0], group=None) == other.channels[0]  # who reads it follows from how many it goes to


def test_the_starter_works_as_it_is(toml: Path):
    settings = load(toml, {})
    assert (settings.brands, settings.sources, settings.channels) == ((), (), ())
    assert settings.listener.database == f"sqlite:///{toml.parent}/listener.db"


# -------------------------------------------------------------------------------------------------------- loading


def test_a_file_that_is_not_there_is_told_with_the_way_out(tmp_path: Path):
    with pytest.raises(ConfigError, match="listener init"):
        load(tmp_path / "listener.toml", {})


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path):
    path = tmp_path / "listener.toml"
    path.write_bytes("[listener]\n# 注释\n".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"line 2: .*UTF-8"):
        load(path, {})


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path, {})


def test_a_byte_order_mark_does_not_matter(tmp_path: Path):
    path = tmp_path / "listener.toml"
    path.write_bytes(b"\xef\xbb\xbf[engine]\nworkers = 2\n")
    assert load(path, {}).engine.workers == 2


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert load(None, {}).privacy.key_file == tmp_path / "listener.key"


def test_a_secret_may_stand_in_a_file_beside_the_settings(toml: Path):
    put_channel(toml, {"name": "mail", "type": "email", "host": "h", "sender": "a@b.cn", "to": ["c@d.cn"], "user": "a"})
    put_channel(toml, {"name": "mail", "password_file": "smtp.password"})
    (problem,) = load(toml, {}).missing_secrets
    assert "smtp.password" in problem.message
    (toml.parent / "smtp.password").write_text("", "utf-8")
    assert "empty" in load(toml, {}).missing_secrets[0].message
    (toml.parent / "smtp.password").write_bytes(b"\xff\xfe\x00")
    assert "not text" in load(toml, {}).missing_secrets[0].message
    (toml.parent / "smtp.password").write_text("hunter2\n", "utf-8")
    assert load(toml, {}).channels[0].password.reveal() == "hunter2"


def test_the_key_is_read_from_its_file(toml: Path):
    path = toml.parent / "listener.key"
    for text, told in ((None, "no key file"), ("zz", "damaged"), ("ab" * 8, "too short")):
        if text is not None:
            path.write_text(text, "ascii")
        with pytest.raises(ConfigError, match=told):
            read_key(load(toml, {}))
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="can't be read"):
        read_key(load(toml, {}))
    path.rmdir()
    path.write_text("ab" * 32 + "\n", "ascii")
    assert read_key(load(toml, {})) == b"\xab" * 32


# --------------------------------------------------------------------------------------------------------- edits


def test_a_new_brand_is_added_and_all_else_stays(toml: Path):
    before = toml.read_text("utf-8")
    assert put_brand(toml, BRAND) is True
    assert toml.read_text("utf-8").startswith(before)
    brand = load(toml, {}).brands[0]
    assert (brand.name, brand.products, [r.name for r in brand.rivals]) == ("星澜", ("精油",), ["墨羽", "青禾"])


def test_the_same_brand_again_changes_no_byte(toml: Path):
    put_brand(toml, BRAND)
    before = toml.read_bytes()
    assert put_brand(toml, BRAND) is False
    assert toml.read_bytes() == before


WRITTEN = """\
# mine
[engine]   # two
workers=2

[[brands]]
name = '白露'  # first

[[brands]] # ours
name = "星澜"   # the name
aliases = [ "xl", # short
  "澜" ]
nicknames = ["澜澜"]   # keep me

[[brands.rivals]]  # theirs
name = "墨羽"
aliases = ["MOYU"] # keep me too

[[brands.rivals]]
name = "旧"

[[sources]]
name = "s" # s
platform = "feed"
every = "1h"
urls = ["http://a/"]
"""


def test_replacing_a_brand_keeps_comments_and_what_the_file_does_not_name(toml: Path):
    toml.write_text(WRITTEN, "utf-8")
    assert put_brand(toml, BRAND) is False
    text = toml.read_text("utf-8")
    assert text.startswith(WRITTEN[: WRITTEN.index("aliases = [")])
    for kept in (
        'nicknames = ["澜澜"]   # keep me',
        'aliases = ["MOYU"] # keep me too',
        "[[brands.rivals]]  # theirs",
        'name = "s" # s',
    ):
        assert kept in text
    first, ours = load(toml, {}).brands
    assert first.name == "白露"
    assert (ours.aliases, ours.products, ours.nicknames) == ((), ("精油",), ("澜澜",))
    assert [(r.name, r.aliases, r.products) for r in ours.rivals] == [("墨羽", ("MOYU",), ("护发素",)), ("青禾", (), ())]


def test_rivals_can_be_taken_away(toml: Path):
    toml.write_text(WRITTEN, "utf-8")
    put_brand(toml, BRAND | {"rivals": []})
    assert load(toml, {}).brands[1].rivals == ()
    put_brand(toml, {"name": "白露", "rivals": []})
    assert load(toml, {}).brands[0].rivals == ()


def test_rivals_written_in_a_line_are_understood(toml: Path):
    toml.write_text('[[brands]]\nname = "a"\nrivals = ["b"] # one\n[engine]\n', "utf-8")
    before = toml.read_text("utf-8")
    put_brand(toml, {"name": "a", "rivals": [{"name": "b"}]})
    put_brand(toml, {"name": "a", "rivals": ["b"]})
    assert toml.read_text("utf-8") == before
    put_brand(toml, {"name": "a", "rivals": ["b", "c"]})
    assert [r.name for r in load(toml, {}).brands[0].rivals] == ["b", "c"]


def test_sources_and_channels_are_added_and_changed(toml: Path):
    source = {"name": "s", "platform": "feed", "urls": ["http://a/" + "x" * 60, "http://b/" + "y" * 60], "every": "1h"}
    assert put_source(toml, source) is True
    assert put_source(toml, {"name": "s", "every": "2h"}) is False
    assert put_channel(toml, {"name": "h", "type": "webhook", "url": "http://a/", "secret_file": "x"}) is True
    settings = load(toml, {})
    assert settings.sources[0].every == timedelta(hours=2)
    assert settings.sources[0].urls == tuple(source["urls"])
    assert settings.channels[0].name == "h"


def test_a_commented_setting_is_set_in_its_place(toml: Path):
    put_section(toml, "engine", {"workers": 3})
    put_section(toml, "listener", {"timezone": "UTC"})
    put_section(toml, "listener", {"timezone": "Asia/Tokyo"})
    text = toml.read_text("utf-8")
    assert text.count("workers = 3") == 1
    assert "#workers" not in text
    assert re.search(r"^workers = 3 .*评分.*进程数", text, re.MULTILINE)
    settings = load(toml, {})
    assert (settings.engine.workers, settings.listener.timezone) == (3, "Asia/Tokyo")


def test_a_section_that_is_not_there_is_made(toml: Path):
    toml.write_text("# mine\n", "utf-8")
    put_section(toml, "engine", {"workers": 3})
    assert load(toml, {}).engine.workers == 3
    assert toml.read_text("utf-8").startswith("# mine\n")


def test_line_ends_of_windows_stay(toml: Path):
    toml.write_bytes(WRITTEN.replace("\n", "\r\n").encode())
    put_source(toml, {"name": "s", "every": "3h"})
    put_section(toml, "engine", {"batch_size": 10})
    lines = toml.read_bytes().split(b"\n")
    assert sum(line.endswith(b"\r") for line in lines) >= WRITTEN.count("\n")
    assert load(toml, {}).sources[0].every == timedelta(hours=3)


def test_an_edit_keeps_the_files_mode_and_the_link_that_leads_to_it(toml: Path):
    toml.chmod(0o640)
    link = toml.parent / "link.toml"
    link.symlink_to(toml.name)
    put_brand(link, BRAND)
    assert link.is_symlink()
    assert toml.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in toml.parent.iterdir()) == ["link.toml", "listener.toml"]


def test_what_can_not_be_edited_is_left_alone(toml: Path):
    for text, told in (("x = ", "TOML"), ("brands = 5\n", r"\[\[brands\]\]")):
        toml.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=told):
            put_brand(toml, BRAND)
        assert toml.read_text("utf-8") == text
    toml.unlink()
    with pytest.raises(ConfigError, match="listener init"):
        put_brand(toml, BRAND)
    with pytest.raises(ConfigError, match="can't be written"):
        put_brand(toml.parent, BRAND)


def test_a_write_that_fails_leaves_the_old_text_and_no_litter(toml: Path):
    before = toml.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        write_whole(toml, "half \ud83d")
    assert toml.read_bytes() == before
    assert [p.name for p in toml.parent.iterdir()] == ["listener.toml"]


# ---------------------------------------------------------------------------------------------------- brand.json


def test_a_brand_is_read_from_json(tmp_path: Path):
    path = tmp_path / "brand.json"
    path.write_text("\ufeff" + json.dumps(BRAND, ensure_ascii=False), "utf-8")
    assert read_brand(path) == BRAND


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"aliases": []}', "name"),
        ('{"name": "a", "alias": ["b"]}', "did you mean aliases"),
        ('{"name": "a", "rivals": [{"name": "b", "product": []}]}', "did you mean products"),
        ('{"name": "a", "aliases": "b"}', "must be a list"),
    ],
)
def test_a_brand_that_can_not_be_read_is_told(tmp_path: Path, text: str, told: str):
    path = tmp_path / "brand.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=told):
        read_brand(path)


def test_a_brand_file_that_is_no_text_or_not_there_is_told(tmp_path: Path):
    path = tmp_path / "brand.json"
    with pytest.raises(ConfigError, match="can't be read"):
        read_brand(path)
    path.write_bytes('{"name": "星"}'.encode("gb18030"))
    with pytest.raises(ConfigError, match="UTF-8"):
        read_brand(path)


def test_the_starter_is_toml_and_so_is_it_uncommented():
    tomllib.loads(starter())
    tomllib.loads(re.sub(r"^#(\[|\w+ = )", r"\1", starter(), flags=re.MULTILINE).replace('password_file = ""\n', ""))
