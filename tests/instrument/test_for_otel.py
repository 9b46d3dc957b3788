"""The copy of a run in the trace of the person who runs it under `opentelemetry-instrument`, and nothing anywhere else."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import BIN, World, attributes, in_file
from test_run import ENDINGS

from otel_bridge import __version__
from otel_bridge.collector.process import Running
from otel_bridge.testing import Event, OtlpSink

MARK = "mRk3rQ7x"
# What the package opentelemetry-distro brings: the SDK's own configurator, so that `opentelemetry-instrument` has a provider.
CONFIGURATOR = "[opentelemetry_configurator]\nconfigurator = opentelemetry.sdk._configuration:_OTelSDKConfigurator\n"
SCRIPT = """\
#!{python}
import re
import sys
from {module} import {first}
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit({name}())
"""

WITHIN = """
from opentelemetry import trace

def main():
    from otel_bridge.auto.probe.cli import inner
    inner()
    inner()
    work()

def inner():
    work()

def work():
    with trace.get_tracer("of the person").start_as_current_span("work"):
        pass
"""


def installed(folder: Path, name: str, entry_points: str) -> None:
    """Make a distribution in a folder of `sys.path`, as far as the import system wants to know."""
    info = folder / f"{name}-1.2.3.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text(entry_points)


@dataclass
class Traced:
    """A world whose person has a tracing backend of their own, a server on a socket, and runs programs under the OTel agent."""

    world: World
    mine: OtlpSink
    path: str

    def run(self, *words: str, ok: bool | None = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program under `opentelemetry-instrument`, its spans on their way to the person's own server."""
        chosen = ("--traces_exporter", "otlp_proto_http", "--metrics_exporter", "none", "--logs_exporter", "none")
        own = ("opentelemetry-instrument", *chosen, "--exporter_otlp_endpoint", self.mine.endpoint)
        return self.world.run(*own, *words, ok=ok, **{"PYTHONPATH": self.path, **more})

    def script(self, entry_point: str, changed: bool = False) -> str:
        """Install the product probe with one script, changed to go through us or as its authors left it."""
        place = self.world.root / "probe-src"
        entry_point = ("otel_bridge.auto." if changed else "") + entry_point
        installed(place, "probe", f"[console_scripts]\nprobe = {entry_point}\n")
        module, _, name = entry_point.partition(":")
        file = self.world.root / "bin/probe"
        file.parent.mkdir(exist_ok=True)
        text = SCRIPT.format(python=BIN / "python", module=module, name=name, first=name.partition(".")[0])
        file.write_text(text)
        file.chmod(0o755)
        self.path = f"{self.world.root / 'distro'}:{place}"
        return str(file)

    def left(self, product: str) -> list[dict]:
        """The attributes of what waits for the product's authors, spans alone."""
        found = [attributes(item) for item in self.world.waiting(product) if item.signal == "traces"]
        return [{key: one[key] for key in one if key != "session.id"} for one in found]  # the authors' alone: nobody joins the two

    def told(self) -> list[dict]:
        """The attributes of the runs in the person's own trace."""
        return [span.attributes for span in self.mine.spans if span.name == "cli.run"]


@pytest.fixture
def traced(world: World) -> Iterator[Traced]:
    installed(world.root / "distro", "person-s-distro", CONFIGURATOR)
    with OtlpSink() as sink:
        yield Traced(world, sink, str(world.root / "distro"))


def test_one_span_for_the_person_and_one_for_the_authors(traced: Traced, collector: Running) -> None:
    """The same attributes, in two traces that share nothing else: the person's backend, and the authors' collector."""
    more = {"KITCHEN_TELEMETRY": "on", "OTEL_BRIDGE_ENDPOINT": collector.endpoint}
    done = traced.run("kitchen", "--log-level", "warn", "create", "debian", **more)
    assert (done.stdout, done.stderr) == ("", "")
    (span,) = traced.mine.spans
    (waits,) = (item for item in traced.world.waiting() if item.signal == "traces")
    assert span.name == "cli.run"
    assert span.attributes == {key: value for key, value in attributes(waits).items() if key != "session.id"}
    assert span.attributes["otel_bridge.command"] == "create"
    assert span.attributes["otel_bridge.options"] == ["--log-level"]
    ours = ("traceId", "spanId", "startTimeUnixNano", "endTimeUnixNano", "attributes", "flags")
    assert {key: value for key, value in span.record.items() if key not in ours} == {"name": "cli.run", "kind": 1, "status": {}}
    assert span.record["traceId"] != waits.body["traceId"]
    assert span.record["spanId"] != waits.body["spanId"]
    assert int(span.record["endTimeUnixNano"]) >= int(span.record["startTimeUnixNano"]) > int(waits.body["startTimeUnixNano"])
    whose = {"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "telemetry.auto.version", "service.name"}
    assert span.resource.keys() - {"service.instance.id"} == whose
    assert span.resource["service.name"].startswith("unknown_service")

    traced.world.run("otel-bridge", "drain", "--product", "kitchen", **more)
    assert [attributes(item) for item in in_file(collector, "traces")] == [attributes(waits)]
    assert len(traced.mine.spans) == 1


def test_the_scope_of_the_copy_is_ours(traced: Traced) -> None:
    """Whoever looks at the person's trace sees who made the span."""
    traced.run("kitchen", "list", KITCHEN_TELEMETRY="local")
    (request,) = traced.mine.requests
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    (group,) = ExportTraceServiceRequest.FromString(request.body).resource_spans
    assert [(one.scope.name, one.scope.version, len(one.spans)) for one in group.scope_spans] == [("otel_bridge", __version__, 1)]
    assert traced.left("kitchen") == []  # local: for the person alone


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"KITCHEN_TELEMETRY": "off"},
        {"KITCHEN_TELEMETRY": "on", "DO_NOT_TRACK": "1"},
        {"KITCHEN_TELEMETRY": "log"},
        {"KITCHEN_TELEMETRY": "on", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "otel_bridge_cli"},
    ],
    ids=["undecided", "off", "DO_NOT_TRACK", "log", "disabled"],
)
def test_without_consent_there_is_no_copy_either(traced: Traced, more: dict[str, str]) -> None:
    """Off means off in the person's own trace, too, and the loader's own switch leaves the authors' span alone."""
    bare = traced.world.run("kitchen", "list", **more)
    before = len(traced.left("kitchen"))
    done = traced.run("kitchen", "list", **more)
    assert done.stdout == bare.stdout
    assert traced.mine.requests == []
    assert len(traced.left("kitchen")) - before == ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS" in more)


@pytest.mark.parametrize("why", ["refused", "no place for it"])
def test_what_is_not_recorded_is_not_copied(traced: Traced, probe: Callable, why: str) -> None:
    """Whoever leaves `cli.run` out of what is told leaves it out of both, and a span that could not be written is in neither."""
    probe(WITHIN)
    script = traced.script("probe.cli:work")
    if why == "refused":
        traced.world.on("probe")
        traced.world.run("otel-bridge", "off", "--product", "probe", "--event", "cli.run")
    else:
        (traced.world.state / "probe/spool/traces.jsonl").mkdir(parents=True)
    traced.run(script, PROBE_TELEMETRY="on")
    (work,) = traced.mine.spans
    assert work.name == "work"
    assert ("parentSpanId" in work.record) == (why != "refused")  # nobody knows before that there is no place


def test_nothing_private_is_in_either(traced: Traced) -> None:
    """Arguments, environment, working folder and messages are in no byte of what the two sides get."""
    place = traced.world.work / f"folder-{MARK}"
    place.mkdir()
    words = f"cd {place} && exec kitchen create {MARK} --driver {MARK} --target {MARK}"
    done = traced.run("sh", "-c", words, ok=False, KITCHEN_TELEMETRY="on", MY_SECRET=MARK, USER=MARK, HOSTNAME=MARK)
    assert MARK in done.stderr
    (told,) = traced.told()
    assert (told["process.exit.code"], told["otel_bridge.options"]) == (1, ["--driver", "--target"])
    assert [span.record["status"] for span in traced.mine.spans] == [{"code": 2}]
    assert [request.body for request in traced.mine.requests if MARK.encode() in request.body] == []
    assert MARK.encode() not in traced.world.bytes_in(".local")


CLICK = (
    "import click\n@click.group()\ndef main():\n    print(type(main).__name__)\n@main.command()\ndef dive():\n    print('deep')\n"
)
METHOD = "class Program:\n    def run(self):\n        print('ran', type(self).__name__)\n        return 4\nprogram = Program()\n"
FOUND = """
import sys
def main():
    module = sys.modules[__name__]
    print(type(module), [one for one in sys.meta_path if 'otel_bridge' in repr(one)], module.__loader__.__dict__)
    return 3
"""
SHAPES = {
    "a function": ("probe.cli:main", FOUND, (), 3, None),
    "a function of its package, too": ("probe.cli:main", "import probe\n" + FOUND, (), 3, None),
    "a click group": ("probe.cli:main", CLICK, ("dive",), 0, "__other__"),
    "a method": ("probe.cli:program.run", METHOD, (), 4, None),
    "decorated": ("probe.cli:main", "import otel_bridge\n@otel_bridge.command\n" + ENDINGS["returns"], (), 3, None),
}


@pytest.mark.parametrize("changed", [True, False], ids=["through us", "unchanged"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_entry_point_of_any_shape_gives_one_span(traced: Traced, probe: Callable, shape: str, changed: bool) -> None:
    """One span on each side and the program's own output, whether or not the script was changed to go through us."""
    entry_point, program, words, code, command = SHAPES[shape]
    probe(program)
    if "its package" in shape:
        (traced.world.root / "probe-src/probe/__init__.py").write_text("from .cli import main as start\n")
    bare = traced.world.run(traced.script(entry_point), *words, ok=None, PYTHONPATH=traced.path)
    done = traced.run(traced.script(entry_point, changed), *words, ok=None, PROBE_TELEMETRY="on")
    assert (done.returncode, done.stdout, done.stderr) == (code, bare.stdout, bare.stderr) != (code, "", "")
    (told,) = traced.told()
    assert traced.left("probe") == [told]
    assert (told["process.exit.code"], told.get("otel_bridge.command")) == (code, command)


ENDED = {"returns": 1, "exits with a text": 1, "raises": 1, "has a hook": 1, "is interrupted": 1, "recurses without end": 1}
NOT_ENDED = {"leaves at once": 0, "is terminated": 0, "fails to import": 0, "has no main": 0}


@pytest.mark.parametrize(("ending", "runs"), {**ENDED, **NOT_ENDED}.items())
def test_an_unchanged_program_ends_as_it_would_without(traced: Traced, probe: Callable, ending: str, runs: int) -> None:
    """Exit code, output and traceback of an unchanged product are those without us, however it ends."""
    probe(ENDINGS[ending])
    script = traced.script("probe.cli:main")
    without = traced.world.run(script, ok=None, PYTHONPATH=traced.path)
    done = traced.run(script, ok=None, PROBE_TELEMETRY="on")
    assert (done.returncode, done.stdout, done.stderr) == (without.returncode, without.stdout, without.stderr)
    assert traced.told() == traced.left("probe")
    assert len(traced.told()) == runs
    assert [span.record for span in traced.mine.spans if {"events", "links"} & span.record.keys()] == []
    assert [request.body for request in traced.mine.requests if b"secret text" in request.body] == []


def test_a_product_that_was_only_registered(traced: Traced, probe: Callable) -> None:
    """A tool that knows nothing of us, and whose declaration the person has registered, is recorded under the agent alone."""
    probe(ENDINGS["returns"])
    place = traced.world.root / "probe-src"
    traced.world.run("otel-bridge", "register", str(place / "telemetry.yaml"))
    (place / "probe/_telemetry.py").unlink()
    script = traced.script("probe.cli:main")
    assert traced.run(script, ok=None, PROBE_TELEMETRY="on").returncode == 3
    (told,) = traced.told()
    assert traced.left("probe") == [told]
    assert traced.world.run(script, ok=None, PROBE_TELEMETRY="on", PYTHONPATH=str(place)).returncode == 3
    assert traced.left("probe") == [told]


def test_what_other_instrumentation_sees_is_below_the_run(traced: Traced, probe: Callable) -> None:
    """Spans of the person's other instrumentation are children of the run's, and after a run its span is current no more."""
    probe(WITHIN)
    traced.run(traced.script("probe.cli:main"), PROBE_TELEMETRY="on")
    by_id = {span.record["spanId"]: span for span in traced.mine.spans}

    def path(span: Event) -> str:
        above = by_id.get(span.record.get("parentSpanId", ""))
        return f"{path(above)}/{span.name}" if above else span.name

    below = ["cli.run/cli.run", "cli.run/cli.run", "cli.run/cli.run/work", "cli.run/cli.run/work"]
    assert sorted(map(path, traced.mine.spans)) == ["cli.run", *below, "cli.run/work"]
    assert len(traced.left("probe")) == 3  # and none of the person's


LOADED = """
import sys
from opentelemetry.instrumentation.auto_instrumentation import initialize
def main():
    import otel_bridge
    print(sorted(name for name in sys.modules if name.split(".")[0] == "otel_bridge" or name.endswith("._telemetry")))
    print(otel_bridge.observer, [one for one in sys.meta_path if "otel_bridge" in repr(one)])
"""


@pytest.mark.parametrize("how", ["a text", "a script of nobody's"])
def test_in_any_other_process_it_is_inert(traced: Traced, probe: Callable, how: str) -> None:
    """What the entry point itself imports is loaded, and nothing is patched, observed or said."""
    probe("")
    (traced.world.root / "probe-src/probe/_telemetry.py").unlink()
    (traced.world.root / "probe-src/probe/cli.py").write_text(LOADED)
    script = traced.script("probe.cli:main")
    words = [script] if how != "a text" else [str(BIN / "python"), "-c", "from probe.cli import main; main()"]
    done = traced.run(*words, PROBE_TELEMETRY="on")
    ours = ["for_otel"] if how == "a text" else ["for_otel", "paths", "registered"]
    assert done.stdout.splitlines() == [str(["otel_bridge", *(f"otel_bridge.{name}" for name in ours)]), "None []"]
    assert done.stderr == ""
    assert traced.mine.requests == []


def test_a_program_that_comes_through_a_pipe_is_left_to_the_interpreter(traced: Traced) -> None:
    """Nobody but Python reads from it: it runs whole, and recorded as any other run of a product."""
    program = "from otel_bridge.auto.kitchen.cli import main\nprint('whole')\nmain(['list'])\n"
    done = traced.run("sh", "-c", f'echo "{program}" | python /dev/stdin', KITCHEN_TELEMETRY="on")
    assert (done.stdout.splitlines()[0], done.stderr) == ("whole", "")
    assert (len(traced.left("kitchen")), traced.mine.requests) == (1, [])


def test_a_script_that_its_authors_left_out_stays_out(traced: Traced) -> None:
    """Of a distribution with scripts that go through us, the others are not recorded."""
    bare = traced.world.run("kitchen-bare", "list")
    done = traced.run("kitchen-bare", "list", KITCHEN_TELEMETRY="on")
    assert (done.stdout, done.stderr, traced.mine.requests) == (bare.stdout, bare.stderr, [])
    assert traced.world.waiting() == []


BY_HAND = """
import contextlib, io, logging, sys
import otel_bridge
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otel_bridge.for_otel import CliInstrumentor

logging.basicConfig(stream=sys.stdout, format="%%(message)s")
sys.argv[:] = ["/anywhere/%(script)s", "list"]
kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))

class Broken:
    def get_tracer(self, *args, **kwargs):
        raise RuntimeError("no tracer today")

def run():
    from otel_bridge.auto.kitchen.cli import main
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main()
    return len(kept.get_finished_spans())

one = CliInstrumentor()
print(one.instrumentation_dependencies(), one is CliInstrumentor())
one.instrument(tracer_provider=provider)
one.instrument(tracer_provider=provider)
print(run())
one.uninstrument()
one.uninstrument()
print(otel_bridge.observer, run())
one.instrument(tracer_provider=Broken())
print(run())
"""


def test_it_is_an_instrumentor_like_any_other(traced: Traced) -> None:
    """Instrumented twice is once, uninstrumented is as before; a provider that fails changes nothing for the program."""
    code = BY_HAND % {"script": "kitchen"}
    done = traced.world.run(str(BIN / "python"), "-c", code, KITCHEN_TELEMETRY="on")
    said = "Attempting to %s while already %sed"
    wanted = ["() True", said % ("instrument", "instrument"), "1", said % ("uninstrument", "uninstrument"), "None 1", "1"]
    assert (done.stdout.splitlines(), done.stderr) == (wanted, "")
    assert len(traced.left("kitchen")) == 3


def test_what_it_waits_for_can_be_given_up(traced: Traced, probe: Callable) -> None:
    """Uninstrumented before, or while, the product's module is imported, it leaves the module and `sys.meta_path` as they are."""
    probe("import gc\nfrom otel_bridge.for_otel import CliInstrumentor\nCliInstrumentor().uninstrument()\n" + FOUND)
    script = traced.script("probe.cli:main")
    done = traced.run(script, ok=None, PROBE_TELEMETRY="on")
    assert (done.returncode, done.stdout, done.stderr) == (
        3,
        "<class 'module'> [] {'name': 'probe.cli', 'path': '%s'}\n" % (traced.world.root / "probe-src/probe/cli.py"),
        "",
    )
    assert (traced.mine.requests, traced.left("probe")) == ([], [])


def test_a_module_that_was_imported_before_it(traced: Traced, probe: Callable) -> None:
    """Where other instrumentation has imported the product already, the script still finds an entry point that is recorded."""
    probe(FOUND)
    traced.script("probe.cli:main")
    before = "import sys, probe.cli\nfrom otel_bridge.for_otel import CliInstrumentor\nsys.argv[0] = 'probe'\n"
    code = before + "CliInstrumentor().instrument()\nfrom probe.cli import main\nsys.exit(main())\n"
    done = traced.world.run(str(BIN / "python"), "-c", code, ok=None, PROBE_TELEMETRY="on", PYTHONPATH=traced.path)
    assert (done.returncode, done.stdout.split(" [")[0], done.stderr) == (3, "<class 'module'>", "")
    assert [told["process.exit.code"] for told in traced.left("probe")] == [3]
