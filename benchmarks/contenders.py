"""Who is compared: each library in an environment of its own below .cache/peers, beside the bare twin in the same environment.

A contender is a small program in peers/ that does what the library's documentation asks of a command-line tool.
"""

import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from counting import PYTHON, environment
from measuring import OURS, Where

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache/peers"
ROOT = HERE.parent
KITCHEN = str(ROOT / "examples/kitchen")
OWN = "otel-bridge"  # the environment of ours, with this checkout in it as users have it: as a wheel


def _posting(where: Where) -> dict[str, str]:
    """All that most programs in peers/ need to know."""
    return {"BENCH_ENDPOINT": where.http}


def _ours(where: Where) -> dict[str, str]:
    return {"KITCHEN_TELEMETRY": "on", "OTEL_BRIDGE_ENDPOINT": f"{where.http}/ours"}


def _ours_due(where: Where) -> dict[str, str]:
    due = {"OTEL_BRIDGE_DETACH": "1", "OTEL_BRIDGE_DRAIN_EVERY": "0"}
    return {"KITCHEN_TELEMETRY": "on", **due, "OTEL_BRIDGE_ENDPOINT": f"{where.http}/due"}


def _instrument(where: Where) -> dict[str, str]:
    exporters = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "none"}
    told = {"OTEL_SERVICE_NAME": "kitchen", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    return {**exporters, **told, "OTEL_EXPORTER_OTLP_ENDPOINT": where.http}


@dataclass(frozen=True)
class Contender:
    """One way to report a run: its title, its program, the variables that point it at a sink, what starts it."""

    name: str
    title: str
    program: str
    variables: Callable[[Where], dict[str, str]] = field(default=_posting)
    starter: str = ""
    own: bool = False  # ours
    below: str = "/"  # the path under which its events reach the sink

    @property
    def place(self) -> str:
        """The name of its environment."""
        return OWN if self.own else self.name

    def python(self, here: bool) -> str:
        """The interpreter of its environment; with `here` the one that the benchmark runs under."""
        return PYTHON if here else str(CACHE / self.place / "bin/python")

    def words(self, here: bool, program: str = "") -> list[str]:
        """The words of one run, or of another program started in the same way."""
        python = self.python(here)
        before = [python, str(Path(python).parent / self.starter)] if self.starter and not program else []
        file = program or self.program
        where = HERE / "peers" if file.endswith(".py") else Path(python).parent
        return [*before, python, str(where / file), "create", "debian"]

    def bare(self, here: bool) -> list[str]:
        """The words of the bare twin in the same environment."""
        return self.words(here, "kitchen-argparse-bare" if self.own else "bare.py")

    def killed(self, here: bool) -> list[str]:
        """The words of a run that kills itself right after its event, told so by BENCH_KILL."""
        return self.words(here, "ours_killed.py" if self.own else "")

    def world(self, home: Path, where: Where, run: str, **more: str) -> dict[str, str]:
        """The environment of one run; the bare twin is given the same."""
        path = {} if self.own else {"PYTHONPATH": KITCHEN}
        return environment(home, BENCH_ID=run, **path, **self.variables(where), **more)

    def word(self, run: str) -> str:
        """What stands in a request of its that brings a run's event."""
        return OURS if self.own else run


def _raw(kind: str) -> Callable[[Where], dict[str, str]]:
    return lambda where: {"OTEL_BRIDGE_ENDPOINT": where.grpc if kind == "grpc" else where.http}


_SCRIPT = "kitchen-argparse"
CONTENDERS = (
    Contender("otel-bridge", "otel-bridge", _SCRIPT, _ours, own=True, below="/ours"),
    Contender("otel-bridge-due", "otel-bridge, starting a sender each time", _SCRIPT, _ours_due, own=True, below="/due"),
    Contender("otel-http", "OTel SDK, OTLP over HTTP", "raw_otel_sdk.py", _raw("http")),
    Contender("otel-grpc", "OTel SDK, OTLP over gRPC", "raw_otel_sdk_grpc.py", _raw("grpc")),
    Contender(
        *("opentelemetry-instrument", "`opentelemetry-instrument`", "otel_instrument.py", _instrument),
        starter="opentelemetry-instrument",
    ),
    Contender("posthog", "PostHog", "posthog.py"),
    Contender("segment", "Segment", "segment.py"),
    Contender("snowplow", "Snowplow", "snowplow.py"),
    Contender("scarf", "Scarf", "scarf.py"),
    Contender("glean", "Glean", "glean.py"),
)


def chosen(names: str) -> list[Contender]:
    """The contenders of a comma-separated list, all of them for an empty one."""
    wanted = names.split(",") if names else [one.name for one in CONTENDERS]
    unknown = sorted(set(wanted) - {one.name for one in CONTENDERS})
    if unknown:
        sys.exit(f"--only: no contender is called {', '.join(unknown)}; there are {', '.join(one.name for one in CONTENDERS)}")
    return [one for one in CONTENDERS if one.name in wanted]


def installed(contenders: list[Contender], here: bool) -> Iterator[tuple[Contender, str]]:
    """Each contender with what pip said when it could not be installed, empty when it could."""
    for one in contenders:
        yield one, "" if here else _install(one.place)


@cache
def _install(name: str) -> str:
    """Make an environment that is not there or whose requirements have changed; the last line of what went wrong."""
    requirements = HERE / f"peers/requirements-{name}.txt"
    folder, wanted = CACHE / name, requirements.read_text()
    stamp = folder / "installed"
    ours = [str(ROOT), KITCHEN] if name == OWN else []  # whose sources change more often than their requirements
    if stamp.exists() and stamp.read_text() == wanted and not ours:
        return ""
    print(f"{name}: installing", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    words = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*words, "--requirement", str(requirements), *ours], capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    stamp.write_text(wanted)
    return ""


def versions(contenders: list[Contender]) -> Mapping[str, str]:
    """The version of each library but ours, as its requirements pin it."""
    found = {}
    for one in contenders:
        if one.own:
            continue
        file = HERE / f"peers/requirements-{one.name}.txt"
        pins = dict(line.split("==") for line in file.read_text().split()) if file.exists() else {}
        library = min((pin for pin in pins if pin.startswith((one.name, "opentelemetry-sdk"))), key=len, default="")
        if library:
            found[one.name] = f"{library} {pins[library]}"
    return found
