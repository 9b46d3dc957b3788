"""`otel-bridge names`: build the digest of a registry's public names from their text, and look names up in one."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import click

from ..errors import SchemaError
from ..privacy import names
from . import json_option, put

MOST = 214  # characters of a name: npm allows no more, the others fewer
LINE = 65536  # bytes of a line, so that a file that is no text is not read at once
STEP = 100_000  # names between two words on how far it is; a shorter text needs none
FOREIGN = {
    " ": "a blank",
    '"': 'a "',
    "\\": "a \\",
    "^": "a ^",
    "&": "a &",
    "<": "a <",
    ">": "a >",
}  # in no public name; all but the blank break the collector's allow-list


@click.group("names")
def command() -> None:
    """Public names of a registry, as the digest that a product ships."""


@command.command()
@click.option("--from", "source", required=True, metavar="FILE", help="One name a line, # begins a comment; - is standard input.")
@click.option("--kind", required=True, type=click.Choice(names.KINDS), help="How this registry spells its names.")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The digest to write.")
def build(source: str, kind: str, out: Path) -> None:
    """Build the digest of the public names of a text; it is written whole or not at all."""
    _may_be_written(out, source)
    text = Text(source, kind)
    content = names.build(text, kind)
    if not text.count:
        raise SchemaError(f"{text.called}:{max(text.line, 1)}: no name up to the end; write one name a line")
    put(out, content)
    distinct = (len(content) - names.HEADER) // names.SIZE
    click.echo(f"{text.count:,} name{'s' * (text.count != 1)}, {distinct:,} distinct, {len(content):,} bytes: {out}", err=True)


@command.command()
@click.argument("file", metavar="DIGEST", type=click.Path(path_type=Path))
@click.argument("wanted", metavar="NAME...", nargs=-1, required=True)
@json_option
def look(file: Path, wanted: tuple[str, ...], as_json: bool) -> None:
    """Say of each NAME in which spelling DIGEST makes it public, or that it is private; exit code 1 when one is."""
    try:
        place = f"{file} {names.fingerprint(file.read_bytes())}"
    except OSError as problem:
        raise SchemaError(f"{file}: cannot be read ({problem.strerror}); name a digest") from None
    except ValueError as problem:
        raise SchemaError(f"{file}: {problem}; build it with `otel-bridge names build`") from None
    told = [names.public(place, name) for name in wanted]
    if as_json:
        click.echo(json.dumps([{"name": name, "public": one} for name, one in zip(wanted, told, strict=True)]))
    else:
        click.echo("\n".join("private" if one is None else f"public {one}" for one in told))
    sys.exit(1 if None in told else 0)


class Text:
    """The names of a text, line by line; `count` names were read so far, from `line` lines. Raises SchemaError."""

    def __init__(self, source: str, kind: str) -> None:
        self.source, self.kind, self.count, self.line = source, kind, 0, 0
        self.called = "standard input" if source == "-" else source

    def __iter__(self) -> Iterator[str]:
        read = 0
        try:
            with self._opened() as file, _progress(self._size(file)) as tell:
                while line := file.readline(LINE):
                    self.line += 1
                    read += len(line)
                    name = self._name(line)
                    if name:
                        self.count += 1
                        if self.count % (STEP // 10) == 0:
                            tell(self.count, read)
                        yield name
        except OSError as problem:
            hint = "name a text file, or - for standard input"
            raise SchemaError(f"{self.called}: cannot be read ({problem.strerror}); {hint}") from None

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        if self.source != "-":
            return open(self.source, "rb")
        if sys.stdin is None:
            raise SchemaError("standard input: is closed; give it a text, or name a file")
        return nullcontext(sys.stdin.buffer)

    def _size(self, file: BinaryIO) -> int:
        """The bytes to read; 0 when nobody knows."""
        return 0 if self.source == "-" else os.fstat(file.fileno()).st_size

    def _name(self, line: bytes) -> str:
        """The name on a line in its public spelling, empty when there is none."""
        if len(line) == LINE and line[-1:] != b"\n":
            raise self._wrong(f"a line of more than {LINE:,} bytes; write one name a line")
        if self.line == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")  # PowerShell and Notepad mark UTF-8 so
        try:
            name = names.normalise(line.decode().partition("#")[0], self.kind)
        except UnicodeDecodeError:
            raise self._wrong("not UTF-8; save the text as UTF-8") from None
        if len(name) > MOST:
            raise self._wrong(f"a name of more than {MOST} characters; no registry has such a name, leave it out")
        for character, what in FOREIGN.items():
            if character in name:
                raise self._wrong(f"{what} inside a name; write one name a line, and comments after a #")
        if not name.isprintable():
            raise self._wrong("a control character inside a name; write one name a line as plain text")
        return name

    def _wrong(self, what: str) -> SchemaError:
        return SchemaError(f"{self.called}:{self.line}: {what}")


@contextmanager
def _progress(size: int) -> Iterator[Callable[[int, int], None]]:
    """Gives what says how many names and bytes were read: a bar on a terminal, else a line for every 100,000 names."""
    bar: Any = None

    def tell(count: int, read: int) -> None:
        nonlocal bar
        if not sys.stderr.isatty():
            if count % STEP == 0:
                click.echo(f"{count:,} names read", err=True)
        elif count >= STEP:
            bar = bar or _bar(size)
            bar.update(bar.task_ids[0], completed=read, names=f"{count:,} names read")

    try:
        yield tell
    finally:
        if bar is not None:
            bar.stop()


def _bar(size: int) -> Any:
    """A started bar; it is loaded for long texts alone, as it takes 60 ms."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.fields[names]}"), BarColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=size or None, names="")
    bar.start()
    return bar


def _may_be_written(out: Path, source: str) -> None:
    """Raises SchemaError, before a long text is read, when a digest cannot stand there."""
    try:
        if not out.parent.is_dir():
            raise SchemaError(f"{out}: there is no folder {out.parent}; make it first")
        if out.exists() and not out.is_file():
            raise SchemaError(f"{out}: is no file; name the file of the digest")
        if out.exists() and source != "-" and os.path.exists(source) and out.samefile(source):
            raise SchemaError(f"{out}: is the text itself; name another file")
    except OSError as problem:
        raise SchemaError(f"{out}: cannot be written ({problem.strerror}); name another file") from None
