"""Say what stands in front of privacy, and which secrets are missing or torn, before a collector is started with them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from .sinks import Variable, told

INTAKE, CLEAN = "forward/intake", "forward/clean"  # privacy.yaml writes into the first, base.yaml's fan leads to the second
_SECRET = ("TOKEN", "PASSWORD", "AUTHORIZATION", "SECRET", "KEY")
_READ = ("_TOKEN_FILE", "_CA_FILE", "_TLS_CERT", "_TLS_KEY")  # these name files that the collector reads
_LISTED = ("health_check", "file_storage/queue")  # of base.yaml: a later list replaces it


def mistakes(files: list[Path]) -> list[str]:
    """Every mistake of a merged configuration as `file: what; what to write instead`; none means privacy is before every sink."""
    read: dict[Path, dict[str, Any]] = {}
    found: list[str] = []
    for file in files:
        try:
            read[file] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            if not isinstance(read[file], dict):
                raise ValueError("it is no mapping")
        except (OSError, ValueError, yaml.YAMLError) as problem:
            read[file] = {}
            found.append(f"{file}: cannot be read ({str(problem).splitlines()[0]}); write YAML as sinks/file.yaml has it")
    if files[0].name != "base.yaml":  # a collector of its own: it takes nothing that privacy.yaml would have to clean
        return found
    last = files[-1]
    if last.name != "privacy.yaml":
        found.append(f"{last}: the last file is not privacy.yaml; name privacy.yaml last, so that nothing shortens it")
    walls = _section(read[last], "processors")
    for file in files[1:-1]:
        found += [f"{file}: {text}" for text in _in_front(read[file], walls, file.parent.name)]
    return [*found, *(f"{last}: {text}" for text in _privacy(read[last]))]


def _section(found: Any, *names: str) -> dict[str, Any]:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _in_front(read: dict[str, Any], walls: dict[str, Any], kind: str) -> Iterator[str]:
    """What a file between base and privacy says that would weaken either."""
    for name, pipeline in _section(read, "service", "pipelines").items():
        given = pipeline if isinstance(pipeline, dict) else {}
        part = name.partition("/")[2]
        if part == "intake":
            yield f"pipeline {name} belongs to privacy.yaml; take it out"
        elif part == "fan" and {"receivers", "exporters"} & set(given):
            yield f"pipeline {name} belongs to base.yaml; an overlay may give it processors alone"
        elif part != "fan" and given.get("receivers") != [CLEAN]:
            told = f"[{', '.join(map(str, given.get('receivers') or []))}]"
            yield f"pipeline {name} reads {told}, in front of privacy; write `receivers: [{CLEAN}]`"
        for processor in given.get("processors") or []:
            if not str(processor).startswith("batch"):
                yield f"pipeline {name} has the processor {processor}; privacy.yaml has them all: take it out"
    for name in _section(read, "processors"):
        if name in walls:
            yield f"processors.{name} is privacy.yaml's own, and a key that it does not set would stay; take it out"
        elif not name.startswith("batch"):
            yield f"processors.{name}: what cleans events stands in privacy.yaml, what limits them in base.yaml; take it out"
    for name in _section(read, "receivers"):
        if kind == "sinks" or name != "otlp":
            yield f"receivers.{name}: events come by base.yaml's otlp alone; take it out, or run it as a collector of its own"
    for name in _section(read, "connectors"):
        yield f"connectors.{name}: pipelines are joined by base.yaml's {CLEAN} alone; take it out"
    listed = _section(read, "service").get("extensions")
    if isinstance(listed, list) and (gone := [one for one in _LISTED if one not in listed]):
        yield f"service.extensions replaces base.yaml's list; write `extensions: [{', '.join([*gone, *map(str, listed)])}]`"


def _privacy(read: dict[str, Any]) -> Iterator[str]:
    """What privacy.yaml itself must have."""
    for name in ("logs/intake", "traces/intake"):
        pipeline = _section(read, "service", "pipelines", name)
        steps = [str(one).partition("/")[0] for one in pipeline.get("processors") or []]
        if not {"transform", "redaction", "filter"} <= set(steps) or steps.index("transform") > steps.index("redaction"):
            yield f"pipeline {name} lacks a step of privacy; write it anew with `otel-bridge collector privacy REGISTRY --out FILE`"
        elif pipeline.get("receivers") != ["otlp"] or pipeline.get("exporters") != [INTAKE]:
            yield f"pipeline {name} does not lead from otlp to {INTAKE}; write it anew with `otel-bridge collector privacy`"


def secrets(files: list[Path]) -> list[str]:
    """Every variable that the files need and that is not set, or holds what no request survives; values are never shown."""
    found: list[str] = []
    for one in (told(file) for file in files if file.name != "privacy.yaml"):
        found += [f"{one.file}: `{line}` has not the form `needs: VARIABLE - what`; write it so" for line in one.wrong]
        for variable in (*one.needs, *one.may):
            if (one.name, variable.name) == ("gateway", "OTEL_BRIDGE_INGEST_TOKEN_FILE"):
                continue  # obstacles.py reads the keys themselves
            found += [f"{one.file}: {variable.name} {text}" for text in _variable(variable, variable in one.needs)]
    return list(dict.fromkeys(found))


def _variable(variable: Variable, needed: bool) -> Iterator[str]:
    value = os.environ.get(variable.name) or variable.default or ""
    if value != value.strip():
        yield "begins or ends with white space, and every request would fail for ever; set it without"
    elif not value and needed:
        yield f"is not set; set it ({variable.what})"
    elif value and variable.name.endswith(_READ):
        yield from _file(Path(value), any(word in variable.name for word in _SECRET))


def _file(file: Path, secret: bool) -> Iterator[str]:
    try:
        held = file.read_bytes()
    except OSError as problem:
        yield f"names {file}, which cannot be read ({problem.strerror}); name a file that the collector's user may read"
        return
    if not held.strip():
        yield f"names {file}, which is empty; write the secret into it"
    elif secret and b"BEGIN" not in held and any(line != line.strip() for line in held.split(b"\n")):
        yield f"names {file}, which has white space at the end of a line; write it with `printf %s`"
