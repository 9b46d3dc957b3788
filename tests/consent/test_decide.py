"""One question, one answer, one reason."""

import os
from pathlib import Path

import pytest

from otel_bridge.consent import CI, decide

OFF, ON, LOCAL = "off", "on", "local"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a choice, and an environment that says nothing."""
    for variable in (*map(os.fsdecode, CI), "DO_NOT_TRACK", "OTEL_SDK_DISABLED", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def choose(place: Path, where: str, text: str) -> str:
    path = place / {"all": ".config/otel-bridge/choice", "kitchen": ".local/state/otel-bridge/kitchen/choice"}[where]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("variables", "files", "mode", "source"),
    [
        ({}, {}, OFF, "default"),
        ({"GITHUB_ACTIONS": "true"}, {}, OFF, "default"),
        ({"DO_NOT_TRACK": "1"}, {}, OFF, "DO_NOT_TRACK"),
        ({"DO_NOT_TRACK": "true"}, {"kitchen": ON}, OFF, "DO_NOT_TRACK"),
        ({"DO_NOT_TRACK": "0"}, {"kitchen": ON}, ON, "kitchen"),
        ({"DO_NOT_TRACK": ""}, {"kitchen": ON}, ON, "kitchen"),
        ({"DO_NOT_TRACK": "False"}, {"kitchen": ON}, ON, "kitchen"),
        ({"DO_NOT_TRACK": "1", "KITCHEN_TELEMETRY": "on"}, {}, OFF, "DO_NOT_TRACK"),
        ({"OTEL_SDK_DISABLED": "true"}, {"kitchen": ON}, OFF, "OTEL_SDK_DISABLED"),
        ({"OTEL_SDK_DISABLED": "TRUE"}, {"all": ON}, OFF, "OTEL_SDK_DISABLED"),
        ({"OTEL_SDK_DISABLED": "1"}, {"kitchen": ON}, ON, "kitchen"),
        ({"KITCHEN_TELEMETRY": "on"}, {}, ON, "KITCHEN_TELEMETRY"),
        ({"KITCHEN_TELEMETRY": "local"}, {}, LOCAL, "KITCHEN_TELEMETRY"),
        ({"KITCHEN_TELEMETRY": "OFF"}, {"kitchen": ON}, OFF, "KITCHEN_TELEMETRY"),
        ({"KITCHEN_TELEMETRY": "maybe"}, {"kitchen": ON}, OFF, "KITCHEN_TELEMETRY"),
        ({"KITCHEN_TELEMETRY": "on"}, {"all": OFF}, OFF, "all"),
        ({"KITCHEN_TELEMETRY": "on"}, {"kitchen": LOCAL}, LOCAL, "kitchen"),
        ({"KITCHEN_TELEMETRY_OPTOUT": "1"}, {"kitchen": ON}, OFF, "KITCHEN_TELEMETRY_OPTOUT"),
        ({"KITCHEN_TELEMETRY_OPTOUT": "0"}, {"kitchen": ON}, ON, "kitchen"),
        ({}, {"all": ON}, ON, "all"),
        ({}, {"all": OFF}, OFF, "all"),
        ({}, {"kitchen": ON}, ON, "kitchen"),
        ({}, {"kitchen": OFF}, OFF, "kitchen"),
        ({}, {"kitchen": LOCAL}, LOCAL, "kitchen"),
        ({}, {"all": ON, "kitchen": OFF}, OFF, "kitchen"),
        ({}, {"all": OFF, "kitchen": ON}, OFF, "all"),
        ({}, {"all": LOCAL, "kitchen": ON}, LOCAL, "all"),
        ({}, {"all": ON, "kitchen": LOCAL}, LOCAL, "kitchen"),
        ({"CI": "true"}, {"kitchen": ON}, ON, "kitchen"),
    ],
)
def test_who_decides(place: Path, monkeypatch: pytest.MonkeyPatch, variables: dict, files: dict, mode: str, source: str) -> None:
    """Any source that says off decides, else any that says local, else the first that says on, else nobody has chosen."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    paths = {where: choose(place, where, f"telemetry = {word}\nsince = 2026-01-02T03:04:05Z\n") for where, word in files.items()}
    decision = decide("kitchen")
    assert (decision.mode, decision.source) == (mode, paths.get(source, source))
    assert decision.reason
    assert decision.since == ("2026-01-02T03:04:05Z" if source in paths else "")


@pytest.mark.parametrize("text", ["", "telemetry\n", "telemetry = perhaps\n", "\x00\x01", "# telemetry = on\n"])
def test_a_choice_that_cannot_be_understood_is_off(place: Path, text: str) -> None:
    """Half a file, nonsense and a comment are no consent."""
    path = choose(place, "kitchen", text)
    assert (decide("kitchen").mode, decide("kitchen").source) == (OFF, path)


def test_a_choice_that_cannot_be_read_is_off(place: Path) -> None:
    """A folder where the file should be, or bytes that are no text, are off, and named."""
    path = Path(choose(place, "all", "x"))
    path.write_bytes(b"telemetry = on\xff\n")
    assert (decide("kitchen").mode, decide("kitchen").source) == (OFF, str(path))
    path.unlink()
    path.mkdir()
    assert (decide("kitchen").mode, decide("kitchen").source) == (OFF, str(path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_choice_of_somebody_else_is_off(place: Path) -> None:
    """A file that belongs neither to the person nor to root is not trusted."""
    path = choose(place, "kitchen", "telemetry = on\n")
    os.chown(path, 12345, 12345)
    assert (decide("kitchen").mode, decide("kitchen").source) == (OFF, path)


def test_without_a_home_it_is_off(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No HOME, and XDG variables that are relative: nothing can be known, so nothing is recorded."""
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert decide("kitchen").mode == OFF


def test_every_ci_variable_makes_undecided_say_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a machine runs the tool, nobody is asked and nothing is recorded."""
    for variable in CI:
        with monkeypatch.context() as patch:
            patch.setenv(os.fsdecode(variable), "true")
            assert "continuous integration" in decide("kitchen").reason
