"""Change a pyproject.toml line by line, comments and order kept, and prove by reading it again that nothing else has changed."""

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import SchemaError

AUTO = "otel_bridge.auto."
NEEDED = "otel-bridge"
_ENTRY = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(\[.*\])?\s*")


def read(file: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file and what it holds; raises SchemaError."""
    try:
        text = file.read_bytes().decode()
        return text, tomllib.loads(text)
    except OSError as problem:
        raise SchemaError(f"{file}: cannot be read ({problem.strerror}); name the folder of your pyproject.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SchemaError(f"{file}: not TOML: {problem}") from None


def scripts(file: Path, table: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The module and the function of each script, without our prefix where it stands already; raises SchemaError."""
    project, tool = table.get("project", {}), table.get("tool", {})
    found = project.get("scripts", {}) if isinstance(project, dict) else None
    if not isinstance(found, dict):
        raise SchemaError(f"{file}: `[project]` and `[project.scripts]` must be tables")
    if not found:
        poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
        if isinstance(poetry, dict) and poetry.get("scripts"):
            what = "`[tool.poetry.scripts]` is not understood; move it to `[project.scripts]`, which Poetry reads since 2.0"
        else:
            what = 'no `[project.scripts]`; write one with `NAME = "PACKAGE.MODULE:FUNCTION"`'
        raise SchemaError(f"{file}: {what}, then run init again")
    entries = {}
    for name, target in found.items():
        entry = _ENTRY.fullmatch(target) if isinstance(target, str) else None
        if entry is None:
            what = f"`[project.scripts]`: {target!r} of `{name}` names no function"
            raise SchemaError(f'{file}: {what}; write `{name} = "PACKAGE.MODULE:FUNCTION"`')
        entries[name] = (entry[1].removeprefix(AUTO), entry[2])
    return entries


def instrumented(file: Path, text: str, name: str) -> str:
    """The text with a script that starts under our name; raises SchemaError when its line cannot be found."""
    table = tomllib.loads(text)
    target: str = table["project"]["scripts"][name]
    if target.startswith(AUTO):
        return text
    wanted = copy.deepcopy(table)
    wanted["project"]["scripts"][name] = AUTO + target
    quoted = re.finditer(rf"""(["']){re.escape(target)}\1""", text)
    changed = (text[: one.start() + 1] + AUTO + text[one.start() + 1 :] for one in quoted)
    return _proved(changed, wanted, f'{file}: the script `{name}` cannot be changed here; write `{name} = "{AUTO}{target}"`')


def depending(file: Path, text: str) -> str:
    """The text with otel-bridge among the dependencies; raises SchemaError when it cannot be written there."""
    table = tomllib.loads(text)
    project = table["project"]
    known = project.get("dependencies", [])
    names = [re.match(r"[\w.-]*", str(one).strip()) for one in known]
    if NEEDED in [re.sub(r"[-_.]+", "-", one[0]).lower() for one in names if one] or "dependencies" in project.get("dynamic", []):
        return text
    problem = f'{file}: `dependencies` cannot be changed here; add `"{NEEDED}"` to them, then run init again'
    wanted = copy.deepcopy(table)
    wanted["project"]["dependencies"] = [*known, NEEDED]
    if "dependencies" not in project:
        return _proved(_with_a_line(text), wanted, problem)
    first = copy.deepcopy(table)
    first["project"]["dependencies"] = [NEEDED, *known]
    return _proved(_appended(text), wanted, "") or _proved(_put_first(text), first, problem)


def dynamic(table: Mapping[str, Any]) -> bool:
    """Whether the dependencies stand somewhere else."""
    return "dependencies" in table["project"].get("dynamic", [])


def with_settings(file: Path, text: str, settings: Mapping[str, str], comment: str) -> str:
    """The text with `[tool.otel-bridge]` at its end; raises SchemaError when there is no room for it."""
    wanted = copy.deepcopy(tomllib.loads(text))
    problem = f"{file}: `[tool.otel-bridge]` cannot be added here; make `tool` a table of tables"
    if not isinstance(wanted.setdefault("tool", {}), dict):
        raise SchemaError(problem)
    wanted["tool"]["otel-bridge"] = dict(settings)
    end = _end_of(text)
    lines = ["", "[tool.otel-bridge]", *(f'{key} = "{value}"' for key, value in settings.items()), comment]
    whole = text if text.endswith("\n") else text + end
    return _proved(iter([whole + "".join(line + end for line in lines)]), wanted, problem)


def _proved(candidates: Iterator[str], wanted: dict[str, Any], problem: str) -> str:
    """The first text that holds what is wanted and nothing else; else raises SchemaError, or is empty where no problem is given."""
    for text in candidates:
        try:
            if tomllib.loads(text) == wanted:
                return text
        except tomllib.TOMLDecodeError:
            continue
    if problem:
        raise SchemaError(problem)
    return ""


def _appended(text: str) -> Iterator[str]:
    """The text with our dependency as the last member of an array: on a line of its own, after a comma, or alone."""
    end = _end_of(text)
    for one in re.finditer(r"\]", text):
        at = one.start()
        start = text.rfind("\n", 0, at) + 1
        if not text[start:at].strip():
            last = text[:start].rstrip()
            indent = re.match(r"[ \t]*", text[text.rfind("\n", 0, len(last)) + 1 :])
            line = f'{indent[0] if indent else ""}"{NEEDED}",{end}'
            yield text[:start] + line + text[start:]
            yield f"{last},{end}{line.rstrip()}{text[len(last) :]}"
        else:
            yield f'{text[:at]}, "{NEEDED}"{text[at:]}'
            yield f'{text[:at]}"{NEEDED}"{text[at:]}'


def _put_first(text: str) -> Iterator[str]:
    """The text with our dependency as the first member of an array, on a line of its own."""
    end = _end_of(text)
    for one in re.finditer(r"\[[^\n]*\n", text):
        yield f'{text[: one.end()]}    "{NEEDED}",{end}{text[one.end() :]}'


def _with_a_line(text: str) -> Iterator[str]:
    """The text with a line of dependencies after the last of the project's own lines that have one value."""
    end = _end_of(text)
    for key in ("requires-python", "description", "version", "name"):
        for one in re.finditer(rf"^([ \t]*){key}[ \t]*=[^\n]*\n", text, re.MULTILINE):
            yield f'{text[: one.end()]}{one[1]}dependencies = ["{NEEDED}"]{end}{text[one.end() :]}'


def _end_of(text: str) -> str:
    """How lines end in a text."""
    return "\r\n" if "\r\n" in text else "\n"
