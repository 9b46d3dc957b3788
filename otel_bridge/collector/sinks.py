"""What each sink and overlay says of itself: the comment lines at the head of its YAML file, in a regular form.

    # One sentence: what it is.
    # needs: LAKE_URL - what it is
    # may: LAKE_DEPTH (its default) - what it is
    # lost: what is lost, and when

A line that goes on is indented after its `#`. Everything below the first line that is no comment is YAML alone.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from . import config_files, config_folder

_TOLD = re.compile(r"(needs|may|lost): *(.*)")
_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]*)(?: \((.*?)\))? - (.*)")


@dataclass(frozen=True)
class Variable:
    """An environment variable that a file reads: its default is what holds without it, None where it must be set."""

    name: str
    what: str
    default: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether this environment has it, and not empty, or names a file that holds it, which `collector run` reads."""
        return bool(os.environ.get(self.name) or os.environ.get(f"{self.name}_FILE"))


@dataclass(frozen=True)
class Told:
    """What a file of `sinks/` or `overlays/` says of itself, and the lines that do not have the form."""

    name: str
    file: Path
    what: str
    needs: tuple[Variable, ...] = ()
    may: tuple[Variable, ...] = ()
    lost: tuple[str, ...] = ()
    wrong: tuple[str, ...] = field(default=(), compare=False)


def told(file: Path) -> Told:
    """Read the head of one file; raises OSError when it cannot be read."""
    what: list[str] = []
    needs: list[Variable] = []
    may: list[Variable] = []
    lost: list[str] = []
    wrong: list[str] = []
    for text in _comments(file):
        kind, rest = found.groups() if (found := _TOLD.fullmatch(text)) else ("", text)
        variable = _VARIABLE.fullmatch(rest)
        if kind == "lost":
            lost.append(rest)
        elif kind and variable is None:
            wrong.append(text)
        elif kind == "needs" and variable:
            needs.append(Variable(variable[1], variable[3]))
        elif kind == "may" and variable:
            may.append(Variable(variable[1], variable[3], variable[2] or ""))
        elif not kind and not what:
            what.append(rest)
    return Told(file.stem, file, "".join(what), tuple(needs), tuple(may), tuple(lost), tuple(wrong))


def _comments(file: Path) -> list[str]:
    """The comments at the head of a file, each with the lines that go on with it."""
    found: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line[1:]
        if text.startswith("   ") and found:
            found[-1] += " " + text.strip()
        elif text.strip():
            found.append(text.strip())
    return found


def every(kind: str = "sinks") -> list[Told]:
    """Every sink, or every file of `overlays`, by name; raises CollectorError when there is no configuration."""
    return [told(file) for file in sorted((config_folder() / kind).glob("*.yaml"))]


def active(kind: str = "sinks") -> tuple[str, ...]:
    """The names of the sinks, or overlays, that the settings choose, each once, without `none`. Raises CollectorError."""
    chosen = [file.stem for file in config_files() if file.parent.name == kind]
    return tuple(dict.fromkeys(name for name in chosen if name != "none"))


def fields(privacy: Path) -> str:
    """Splunk's fields.conf for what a privacy.yaml lets through: HEC indexes every field of a record, and nothing of it is in the
    text of the event, so a search for `key=value` finds it only when it is told so. Raises OSError.
    """
    keys = yaml.safe_load(privacy.read_text(encoding="utf-8"))["processors"]["redaction"]["allowed_keys"]
    lines = ["# GENERATED from privacy.yaml: `otel-bridge sinks fields` prints it. An attribute of a record is an indexed field."]
    return "\n".join([*lines, *(f"[{key}]\nINDEXED = true" for key in (*sorted(keys), "trace_id", "span_id"))]) + "\n"
