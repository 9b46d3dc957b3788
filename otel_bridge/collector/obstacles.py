"""Say what of this machine stands in the way of a collector: folders, queues on disk, ingest keys, a loop, the clock."""

import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import gmtime, strftime, time

import yaml

from ..errors import CollectorError
from ..schema import Registry
from .privacy_yaml import render
from .sinks import told

_VARIABLE = re.compile(r"\$\{env:(\w+)(?::-([^}\"]*))?\}")
_WRITES = ("OTEL_BRIDGE_QUEUE_DIR", "OTEL_BRIDGE_FILE_DIR", "OTEL_BRIDGE_REPLAY_QUEUE_DIR")
_SHORTEST_KEY = 16
_DAY = 86400
# A page of 4096 bytes begins with a header of 16; in the first two stand a meta, its checksum and the bolt file format's mark.
_META, _PAGE, _MAGIC, _VERSION = struct.Struct("<IIIIQQQQQQ"), 4096, 0xED0CDAED, 2


def obstacles(files: list[Path]) -> list[str]:
    """Each obstacle to a start with these files as `place: what; what to do instead`; none means that nothing is in the way."""
    given = values(files)
    stems = {file.stem for file in files}
    found = [*_clock([*files, *_archive(given)]), *_loops(stems, given), *_folders(given), *_queues(given)]
    return [*found, *(_keys(Path(given["OTEL_BRIDGE_INGEST_TOKEN_FILE"])) if "gateway" in stems else [])]


def values(files: list[Path]) -> dict[str, str]:
    """Every variable that the files name, with what it holds here: its value, else the file's default, else nothing."""
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    return {name: os.environ.get(name) or default for line in lines for name, default in _VARIABLE.findall(line)}


def prepared(files: list[Path]) -> dict[str, str]:
    """Make this process's environment what a collector with these files is to get, and return its `values`.

    The collector reads a variable that is set and empty as null, not as the file's default, and null switches a limit off: such
    a variable is taken out. Secrets in files named by `_FILE` are put in. Raises CollectorError as `from_files` does.
    """
    heads = [one for file in files for one in (told(file).needs, told(file).may)]
    names = {**values(files), **{variable.name: "" for head in heads for variable in head}}
    for name in names:
        if os.environ.get(name) == "":
            del os.environ[name]
    os.environ.update(from_files(names))
    return values(files)


def stale(file: Path, registries: Sequence[Registry]) -> str:
    """What `privacy.yaml` does not have of these registries, as `file: what`; empty when it is what they give."""
    wanted, text = render(registries), file.read_text(encoding="utf-8")
    if wanted == text:
        return ""
    allowed = [set(re.findall(r"^      - ([a-z][\w.]*)$", one, re.MULTILINE)) for one in (wanted, text)]
    missing = ", ".join(sorted(allowed[0] - allowed[1]))
    what = f"does not know {missing}, and events would arrive without" if missing else "is not what these registries give"
    return f"{file}: {what}; write it anew"


def from_files(names: Iterable[str]) -> dict[str, str]:
    """What files hold of variables that are not set while the same name with `_FILE` is; a newline at the end is no part of it.

    Raises CollectorError for a file that cannot be read, or that holds more than one line.
    """
    found = {}
    for name in names:
        file = os.environ.get(f"{name}_FILE")
        if file and not os.environ.get(name):
            try:
                text = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as problem:
                raise CollectorError(f"{name}_FILE: {file} cannot be read ({problem}); name the file of the secret") from None
            if len(text.splitlines()) != 1:
                raise CollectorError(f"{name}_FILE: {file} must hold one line, the secret, and has {len(text.splitlines())}")
            found[name] = text
    return found


def _archive(given: Mapping[str, str]) -> list[Path]:
    folder = given.get("OTEL_BRIDGE_FILE_DIR")
    return sorted(Path(folder).glob("*.jsonl")) if folder else []


def _clock(files: list[Path]) -> Iterator[str]:
    """A clock that is behind: the filter would drop today's events as tomorrow's, and rotation would name files wrongly."""
    for file in files:
        if file.stat().st_mtime > time() + _DAY:
            then, here = (strftime("%Y-%m-%d %H:%M", gmtime(at)) for at in (file.stat().st_mtime, time()))
            yield f"{file}: written {then}, and the clock says {here}; set the clock: events would be dropped as of the future"
            return


def _loops(stems: set[str], given: Mapping[str, str]) -> Iterator[str]:
    """A collector that reads what it writes."""
    if {"sink-worker", "kafka"} <= stems:
        yield "sinks/kafka.yaml: a sink worker reads Kafka, and would fill it without end; choose another sink"
    if "replay" in stems:
        reads, writes = given["OTEL_BRIDGE_REPLAY_DIR"], given.get("OTEL_BRIDGE_FILE_DIR")
        if writes and os.path.realpath(reads) == os.path.realpath(writes):
            yield f"OTEL_BRIDGE_REPLAY_DIR: {reads} is what the file sink writes, without end; choose another sink or folder"
        if not os.path.isdir(reads):
            yield f"OTEL_BRIDGE_REPLAY_DIR: {reads} is no folder; name the one of the mended files"
        if os.environ.get("OTEL_BRIDGE_BLOCK_ON_OVERFLOW", "true") != "true":
            yield "OTEL_BRIDGE_BLOCK_ON_OVERFLOW: a replay loses what a full queue refuses; set it to true"


def _folders(given: Mapping[str, str]) -> Iterator[str]:
    for name in _WRITES:
        folder = given.get(name)
        if not folder:
            continue
        place = Path(folder).absolute()
        there = next(one for one in (place, *place.parents) if one.exists())
        if not there.is_dir():
            yield f"{name}: {there} is a file; name a folder"
        elif not os.access(there, os.W_OK | os.X_OK):
            yield f"{name}: {there} cannot be written by user {os.geteuid()}; give it to that user (chown), or name another folder"
    for file in _archive(given):
        if not os.access(file, os.W_OK):
            yield f"{file}: cannot be written by user {os.geteuid()}, and all would be refused with 503; give it to that user"


def _queues(given: Mapping[str, str]) -> Iterator[str]:
    for name in ("OTEL_BRIDGE_QUEUE_DIR", "OTEL_BRIDGE_REPLAY_QUEUE_DIR"):
        folder = Path(given.get(name) or os.devnull)
        for file in sorted(folder.glob("exporter_*")) if folder.is_dir() else []:
            if not file.name.endswith(".backup") and not _sound(file):
                yield f"{file}: is no queue any more (its first pages are corrupt); move it away: what waited in it is lost"


def _sound(file: Path) -> bool:
    """Whether one of the two metas of a bolt database is whole, and the file as long as it says; an empty file becomes one.

    Source: go.etcd.io/bbolt, page.go and meta.go. What is corrupt behind them the collector itself sets aside (`recreate`).
    """
    with file.open("rb") as read:
        start = read.read(2 * _PAGE)
    size = file.stat().st_size
    for at in (16, _PAGE + 16):
        part = start[at : at + _META.size]
        if len(part) == _META.size:
            magic, version, page, *_, pages, _, checksum = _META.unpack(part)
            if (magic, version, checksum) == (_MAGIC, _VERSION, _fnv(part[:-8])) and size >= pages * page:
                return True
    return size == 0


def _fnv(text: bytes) -> int:
    """FNV-1a of 64 bits."""
    number = 0xCBF29CE484222325
    for byte in text:
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return number


def _keys(file: Path) -> Iterator[str]:
    """The ingest keys: a YAML list; values are never shown."""
    try:
        keys = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as problem:
        yield f"{file}: cannot be read ({str(problem).splitlines()[0]}); write a line `- KEY` for each key"
        return
    if not isinstance(keys, list) or not keys:
        yield f"{file}: is no list of keys; write a line `- KEY` for each key"
        return
    for number, key in enumerate(keys, 1):
        if not isinstance(key, str) or not re.fullmatch(r"[!-~]+", key):
            yield f"{file}: key {number} is no plain text; write it in quotes, in visible ASCII characters without a blank"
        elif len(key) < _SHORTEST_KEY:
            yield f"{file}: key {number} has {len(key)} characters and can be guessed; write at least {_SHORTEST_KEY}"
