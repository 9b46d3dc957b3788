"""See an event in a test: what a product records, a clock that stands still, and a server that takes what is sent.

Test doubles for authors of command lines; also a pytest plugin, `pytest_plugins = ["otel_bridge.testing"]`.
PYTEST_DONT_REWRITE: nothing is asserted here, and a conftest.py may import this file before it names the plugin.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import otel_bridge

from . import clock, instrument, record
from .consent import ON, SURROUNDINGS, decide, variable_of
from .errors import BridgeError, SettingsError
from .paths import state_dir, write
from .record import Run
from .testing_events import Captured, Event, Undeclared
from .testing_sink import OtlpSink

__all__ = ["Captured", "Event", "FakeClock", "OtlpSink", "Undeclared", "assert_declared", "capture_events"]

SESSION = SECRET = f"{1:032x}"  # the same for everybody, so that ids are equal in every capture
NOWHERE = "http://127.0.0.1:9"  # the discard port: a verb such as `forget` must not reach the product's own intake


@contextmanager
def capture_events(product_or_package: str = "") -> Iterator[Captured]:
    """Capture everything that a product records, in this process and in children that inherit `environment`; sends nothing.

    Without a name it is the product of the pyproject.toml here or above. Installation and session are the same in every capture,
    and in this process no event is left out for its `sample_rate`. Raises SettingsError or SchemaError when there is no such
    product, BridgeError when something that no test may override keeps it off, the organisation's policy for instance.
    """
    with ExitStack() as stack:
        home = stack.enter_context(TemporaryDirectory(prefix="otel-bridge-", ignore_cleanup_errors=True))
        homes = {"XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state"}
        stack.enter_context(_environment(homes))
        declared = _declaration(product_or_package)
        variable = variable_of(declared.PRODUCT)
        ours = {variable: ON, "OTEL_BRIDGE_DETACH": "0", "OTEL_BRIDGE_ENDPOINT": NOWHERE}
        others = ("DO_NOT_TRACK", "OTEL_SDK_DISABLED", f"{variable}_OPTOUT", "OTEL_BRIDGE_RUN", *SURROUNDINGS.split()[::2])
        stack.enter_context(_environment(ours, others))
        decision = decide(declared.PRODUCT)
        if decision.mode != ON:
            where = f" ({decision.source})" if decision.source else ""
            raise BridgeError(f"{declared.PRODUCT} cannot be captured here: {decision.reason}{where}")
        folder = state_dir(declared.PRODUCT)
        write(f"{folder}/secret", os.O_TRUNC, f"secret = {SECRET * 2}\n")
        write(state_dir(".session"), os.O_TRUNC, SESSION)
        captured = stack.enter_context(closing(Captured(folder)))
        _listen(stack, captured, declared)
        run, _ = instrument.begin(declared, decision)  # of calls outside any entry point
        stack.enter_context(_replaced(otel_bridge, "current", run))
        yield captured


def _declaration(name: str) -> ModuleType:
    """The compiled declaration of a product or a package."""
    package = name.replace("-", "_")
    if not name:
        from .schema.product import find

        package = find(Path.cwd() / "pyproject.toml").package
    try:
        return import_module(f"{package}._telemetry")
    except ModuleNotFoundError as problem:
        if problem.name not in (package, package.partition(".")[0], f"{package}._telemetry"):  # what the product itself needs
            raise
    from .export.writer import declaration

    try:
        return import_module(f"{declaration(name).package}._telemetry")
    except BridgeError:
        known = f"{package}: there is no such product or package with a `_telemetry.py`"
        raise SettingsError(f"{known}; name one that is installed, `otel-bridge compile` makes the file") from None


@contextmanager
def _environment(ours: dict[str, str], unset: Collection[str] = ()) -> Iterator[None]:
    """Other variables for a while."""
    before = {key: os.environ.get(key) for key in ours}
    hidden = {key: os.environ.pop(key) for key in unset if key in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        os.environ.update({key: value for key, value in hidden.items() if key not in os.environ})  # pytest sets its own anew
        if "OTEL_BRIDGE_RUN" not in os.environ:
            os.unsetenv("OTEL_BRIDGE_RUN")  # a run hands it to children past os.environ


@contextmanager
def _replaced(owner: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _listen(stack: ExitStack, captured: Captured, declared: ModuleType) -> None:
    """Note what is offered, in the order in which it is written; production code only counts what is not declared."""
    from .record import sample

    recorded, appended = record.record, record.append

    def noting(run: Run, name: str, given: Any = None, told: Collection[str] = ()) -> None:
        try:
            if run.declared.PRODUCT == declared.PRODUCT:
                specs = run.declared.EVENTS.get(name, ())
                keys = {one[0] for one in specs or ()}
                if name not in run.declared.EVENTS:
                    captured._offered.append((name, ""))
                elif specs is not None:
                    captured._offered.extend((name, str(key)) for key in given or {} if key not in keys)
        except Exception:  # no name, or no mapping: it is counted
            pass
        recorded(run, name, given, told)

    def looking(run: Run, signal: str, line: str) -> None:
        appended(run, signal, line)
        captured._look()

    for owner, name, value in (
        (record, "record", noting),
        (record, "append", looking),
        (sample, "drawn", lambda *asked: True),
        (instrument, "_session", lambda folder: SESSION),
    ):
        stack.enter_context(_replaced(owner, name, value))


def assert_declared(captured: Captured) -> None:
    """Raise AssertionError with a line for everything that was offered and not declared, and for every loss."""
    advice = "is not declared in telemetry.yaml; declare it or do not send it"
    told = captured.undeclared
    lines = [f"{event}: the event {advice}" for event in told.events]
    lines += [f"{event}: the attribute `{key}` {advice}" for event, keys in told.attributes.items() for key in keys]
    for reason, number in captured._counted().items():
        where = " in a child process, where no names are kept; run it in this process to see them"
        lines.append(f"{reason}: {number} lost{where if reason in told.counted else ''}")
    if lines:
        raise AssertionError("\n".join(lines))


class FakeClock:
    """A clock that stands still until it is told to `advance`; with `ids`, uids, trace ids and span ids count from 1.

    While the `with` block lasts, all times of events and durations of runs in this process are its own; children have theirs.
    `start` is RFC 3339, UTC when it does not say; raises ValueError when it is not.
    """

    def __init__(self, start: str = "2026-01-01T12:00:00Z", ids: bool = False) -> None:
        moment = datetime.fromisoformat(start)
        self.nanoseconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 10**9
        self._made: Counter[int] = Counter()
        self._fakes: dict[str, Callable[..., object]] = {"now": lambda: self.nanoseconds, "elapsed": lambda: self.nanoseconds}
        if ids:
            self._fakes.update(new_id=self._counted, new_uuid=lambda: f"00000000-0000-4000-8000-{self._counted(6)}")
        self._swapped: list[list[tuple[object, object]]] = []

    def advance(self, seconds: float) -> None:
        """Let time pass, or with a negative number set the clock back."""
        self.nanoseconds += round(seconds * 10**9)

    def _counted(self, size: int) -> str:
        self._made[size] += 1
        return f"{self._made[size]:0{2 * size}x}"

    def __enter__(self) -> "FakeClock":
        self._swapped.append([(getattr(clock, name), fake) for name, fake in self._fakes.items()])
        _swap(self._swapped[-1])
        return self

    def __exit__(self, *raised: object) -> None:
        _swap([(fake, real) for real, fake in self._swapped.pop()])


def _swap(pairs: list[tuple[object, object]]) -> None:
    """Put a function in the place of another in every module of ours: they import those of `clock` by name."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "otel_bridge" and isinstance(module, ModuleType):
            for key, value in list(vars(module).items()):
                for old, new in pairs:
                    if value is old:
                        setattr(module, key, new)


if "pytest" in sys.modules:
    import pytest

    @pytest.fixture
    def otel_bridge_product(request: pytest.FixtureRequest) -> str:
        """The product or package to capture: that of the pyproject.toml of these tests, unless a conftest.py says otherwise."""
        from .schema.product import find

        return find(request.config.rootpath / "pyproject.toml").package

    @pytest.fixture
    def captured_events(request: pytest.FixtureRequest, otel_bridge_product: str) -> Iterator[Captured]:
        """What the product records in this test."""
        if "fake_clock" in request.fixturenames:
            request.getfixturevalue("fake_clock")  # first, or the first ids would be random
        with capture_events(otel_bridge_product) as captured:
            yield captured

    @pytest.fixture
    def fake_clock() -> Iterator[FakeClock]:
        """A clock that stands still, and ids that count."""
        with FakeClock(ids=True) as standing:
            yield standing

    @pytest.fixture
    def otlp_sink() -> Iterator[OtlpSink]:
        """A server on the loopback interface that takes OTLP over HTTP."""
        with OtlpSink() as sink:
            yield sink
