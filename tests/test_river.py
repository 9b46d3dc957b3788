"""Data flows down the page: who may import whom, what is heavy, and which files a run of a CLI loads."""

import ast
from pathlib import Path

import pytest
from conftest import BIN, ROOT, World

PACKAGE = ROOT / "otel_bridge"
STAGES = (
    "errors",
    "kinds",
    "settings",
    "clock",
    "paths",
    "registered",
    "schema",
    "consent",
    "privacy",
    "record",
    "export",
    "collector",
    "analytics",
)
ABOVE = {stage: STAGES[: at + 1] for at, stage in enumerate(STAGES)}
ABOVE["instrument"] = (*ABOVE["export"], "auto", "instrument")  # export/detach alone, when a sender is due; auto for decorators
ABOVE["auto"] = (*ABOVE["instrument"], "auto")
ABOVE["traced"] = (*ABOVE["auto"], "traced")
ABOVE["for_otel"] = ("registered", "traced", "for_otel")  # in every process under OTel's agent, so it imports no stage
ABOVE["scaffold"] = ("errors", "schema", "scaffold")
ABOVE["program"] = (*ABOVE["auto"], "program")
ABOVE["progress"] = ("progress",)
ABOVE["commands"] = (*STAGES, "progress", "instrument", "scaffold", "program", "commands")
ABOVE["shell"] = ("program", "commands", "shell")
ABOVE["mount"] = (*ABOVE["commands"], "mount")
ABOVE["testing_events"] = ("paths", "record", "testing_events")
ABOVE["testing_sink"] = ("export", "testing_events", "testing_sink")
ABOVE["testing"] = (*ABOVE["instrument"], "testing_events", "testing_sink", "testing")
ABOVE["__init__"] = ("record", "errors", "consent")  # lazily, when an event is recorded, or the person is asked
HEAVY = {"opentelemetry", "requests", "google", "grpc"}
LOADED_BY_OTEL = ("for_otel.py", "traced.py")  # an OTel instrumentor, which nothing of ours imports
HOT = ("__init__", "auto", "clock", "paths", "consent/__init__", "privacy/__init__", "record/__init__")
HOT += ("instrument/__init__", "instrument/for_click", "instrument/for_argparse")
HOT_MAY = {"os", "sys", "time", "posix", "_thread", "click", "argparse", "json.encoder", "otel_bridge"}
HOT_MAY |= {"marshal", "_frozen_importlib_external"}
ON = ["otel_bridge/" + name + ".py" for name in sorted({*HOT} - {"instrument/for_argparse", "instrument/for_click"})]
ON += ["kitchen/_telemetry.py"]
OFF = ["otel_bridge/" + name + ".py" for name in ("__init__", "auto", "consent/__init__", "paths")] + ["kitchen/_telemetry.py"]


def modules() -> list[Path]:
    return sorted(file for file in PACKAGE.rglob("*.py"))


def imports(file: Path) -> list[str]:
    """Absolute names of what a file imports when it runs; imports for type checkers are left out."""
    parts = ("otel_bridge", *file.relative_to(PACKAGE).with_suffix("").parts)
    package = parts[:-1]
    found = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = ".".join((*base, *((node.module,) if node.module else ())))
            found.extend([f"{full}.{alias.name}" for alias in node.names] if node.level and not node.module else [full])
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text()))
    return found


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_upstream(file: Path) -> None:
    """A folder imports itself and what stands above it, never below."""
    stage = file.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in imports(file):
        parts = name.split(".")
        if parts[0] == "otel_bridge" and len(parts) > 1 and parts[1] not in ("__version__", "_caller", "_click_group"):
            assert parts[1] in ABOVE[stage], f"{file} imports {name}"


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_only_the_export_imports_what_is_heavy(file: Path) -> None:
    """OpenTelemetry and requests are imported by export/ alone, and by what OpenTelemetry loads: no host pays for them."""
    if file.relative_to(PACKAGE).parts[0] != "export" and file.relative_to(PACKAGE).as_posix() not in LOADED_BY_OTEL:
        assert not HEAVY & {name.split(".")[0] for name in imports(file)}
    assert not {"otel_bridge.for_otel", "otel_bridge.for_otel.CliInstrumentor"} & {*imports(file)}


@pytest.mark.parametrize("name", HOT)
def test_the_hot_path_imports_next_to_nothing(name: str) -> None:
    """A file that every run loads imports only what the interpreter has loaded anyway."""
    own = {one for one in imports(PACKAGE / f"{name}.py") if not one.startswith("otel_bridge.")}
    assert own <= HOT_MAY


@pytest.mark.parametrize(
    ("script", "mode", "expected"),
    [
        ("kitchen", "on", [*ON, "otel_bridge/instrument/for_click.py"]),
        ("kitchen-argparse", "on", [*ON, "otel_bridge/instrument/for_argparse.py"]),
        ("kitchen", "off", OFF),
        ("kitchen-argparse", "off", OFF),
    ],
)
def test_a_run_loads_these_files_and_no_other(world: World, script: str, mode: str, expected: list[str]) -> None:
    """At most 10 files of ours when on, 5 when off, and nothing heavy besides."""
    code = f"""
import atexit, runpy, sys
@atexit.register
def tell():
    print(*sorted(getattr(m, '__file__', None) or '' for m in list(sys.modules.values())), sep='\\n', file=sys.stderr)
sys.argv = ['{script}', 'create', 'debian']
runpy.run_path({str(BIN / script)!r}, run_name='__main__')
"""
    world.run(script, "create", "debian", KITCHEN_TELEMETRY=mode)  # the very first run makes ids
    done = world.run(str(BIN / "python"), "-c", code, KITCHEN_TELEMETRY=mode)
    files = done.stderr.split()
    ours = [file for file in files if "/otel_bridge/" in file or file.endswith("/_telemetry.py")]
    named = [file[file.rindex("otel_bridge/" if "/otel_bridge/" in file else "kitchen/") :] for file in ours]
    assert sorted(named) == sorted(expected)
    assert len(named) <= {"on": 10, "off": 5}[mode]
    assert not [file for file in files if any(f"/{heavy}/" in file for heavy in HEAVY)]


def test_a_run_brings_in_no_module_of_the_standard_library_that_the_bare_twin_does_not(world: World) -> None:
    """Besides our own files, an instrumented run imports nothing that its bare twin has not imported."""
    code = "import runpy, sys, atexit; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr)); sys.argv = ['kitchen', 'list']; "
    loaded = {}
    world.run("kitchen", "list", KITCHEN_TELEMETRY="on")  # the very first run makes ids
    for script in ("kitchen", "kitchen-bare"):
        start = code + f"runpy.run_path({str(BIN / script)!r}, run_name='__main__')"
        loaded[script] = set(world.run(str(BIN / "python"), "-c", start, KITCHEN_TELEMETRY="on").stderr.split())
    more = {name for name in loaded["kitchen"] - loaded["kitchen-bare"] if not name.startswith("otel_bridge.")}
    assert more == {"kitchen._telemetry"}


def test_files_and_functions_stay_small() -> None:
    """Files up to 250 lines, functions up to 60, front doors up to 200; four have 250, for a run may load ten files."""
    for file in modules():
        tree = ast.parse(file.read_text())
        most = (
            250
            if file.name != "__init__.py"
            else 250
            if file.parent.name in ("record", "consent", "privacy", "instrument")
            else 200
        )
        assert len(file.read_text().splitlines()) <= most, file
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{file}: {node.name}"


def test_the_installed_program_names_every_verb(world: World) -> None:
    """`otel-bridge --help` lists each file of commands/, and each answers `--help`."""
    verbs = sorted(file.stem.replace("_", "-") for file in (PACKAGE / "commands").glob("*.py") if not file.stem.startswith("__"))
    told = world.run("otel-bridge", "--help").stdout
    assert all(f"\n  {verb}" in told for verb in verbs)
    for verb in verbs:
        world.run("otel-bridge", verb, "--help")


def test_everything_imports_without_posix(world: World) -> None:
    """On Windows, where nothing is recorded yet, at least nothing fails: every module imports, and nobody has chosen."""
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in modules()]
    code = f"""
import os, signal, sys
import requests, rich, opentelemetry.exporter.otlp.proto.http._log_exporter  # they know Windows in their own ways
sys.modules['posix'] = sys.modules['fcntl'] = None
for name in ('lockf', 'posix_spawn', 'geteuid'):
    delattr(os, name)
for name in ('SIGHUP', 'SIGQUIT', 'SIGALRM', 'alarm'):
    delattr(signal, name)
for name in {[name for name in names if not name.endswith("__main__")]!r}:
    __import__(name)
from otel_bridge.consent import decide
print(decide('kitchen').mode)
"""
    assert world.run(str(BIN / "python"), "-c", code).stdout == "off\n"
