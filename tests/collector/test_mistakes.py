"""What an operator can get wrong: a clear line and exit code 1 at the start, or an intake that goes on as it is written here."""

import shutil
from pathlib import Path

import pytest
from conftest import ROOT, attributes, in_file
from ledger import certificate, post, record, request, splunk, until
from refusal import refused

from otel_bridge.collector.process import running

SPLUNK = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SPLUNK_URL": "http://127.0.0.1:1/services/collector"}
KITCHEN = ROOT / "examples/kitchen/telemetry.yaml"


@pytest.mark.parametrize("verb", ["run", "validate"])
def test_a_missing_variable_is_named_with_what_it_is(tmp_path: Path, verb: str) -> None:
    """The file, the variable, and what to write into it; the collector itself would start and fail at each request."""
    lines = refused(tmp_path, verb, OTEL_BRIDGE_SINK="splunk", OTEL_BRIDGE_SINK_2="otlp")
    assert [line.partition(" is not set; ")[0] for line in lines] == [
        "collector-config/sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_URL",
        "collector-config/sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_TOKEN",
        "collector-config/sinks/otlp.yaml: OTEL_BRIDGE_OTLP_URL",
    ]
    assert "https://splunk.example:8088/services/collector" in lines[0]


def test_a_secret_with_a_newline_is_refused_and_never_shown(tmp_path: Path) -> None:
    """In the variable itself it would make every request fail for ever."""
    lines = refused(tmp_path, **SPLUNK, OTEL_BRIDGE_SPLUNK_TOKEN="s3cret\n")
    assert len(lines) == 1
    assert lines[0].startswith("collector-config/sinks/splunk.yaml: OTEL_BRIDGE_SPLUNK_TOKEN begins or ends with white space")
    assert "s3cret" not in lines[0]


def test_a_secret_file_may_end_with_a_newline(tmp_path: Path) -> None:
    """Every editor writes one: it is no part of the token, and the events arrive."""
    (tmp_path / "token").write_text("s3cret\n")
    with splunk() as hec:
        told = {"OTEL_BRIDGE_SINK": "splunk", "OTEL_BRIDGE_SPLUNK_URL": hec.url}
        with running(tmp_path / "intake", {**told, "OTEL_BRIDGE_SPLUNK_TOKEN_FILE": str(tmp_path / "token")}) as intake:
            assert post(intake, request([record(1)])) == 200
            until(hec.seen)
    assert [headers["Authorization"] for headers in hec.headers] == ["Splunk s3cret"]


@pytest.mark.parametrize(
    ("text", "what"), [("", "has 0"), ("a\nb\n", "has 2"), (None, "cannot be read")], ids=["empty", "two", "none"]
)
def test_a_secret_file_holds_one_line(tmp_path: Path, text: str | None, what: str) -> None:
    """An empty one, one of two lines and one that is not there are refused by name."""
    if text is not None:
        (tmp_path / "token").write_text(text)
    (line,) = refused(tmp_path, **SPLUNK, OTEL_BRIDGE_SPLUNK_TOKEN_FILE=str(tmp_path / "token"))
    assert line.startswith(f"OTEL_BRIDGE_SPLUNK_TOKEN_FILE: {tmp_path / 'token'} ")
    assert what in line


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0123456789abcdef-first\n", "is no list of keys; write a line `- KEY` for each key"),
        ("- short\n", "key 1 has 5 characters and can be guessed; write at least 16"),
        ("- 0123456789abcdef-first\n-\n", "key 2 is no plain text"),
        ("- 0123456789abcdef 0123456789abcdef\n", "key 1 is no plain text"),
        ("- [\n", "cannot be read"),
    ],
)
def test_ingest_keys_that_would_let_anybody_in_or_nobody_are_refused(tmp_path: Path, text: str, what: str) -> None:
    """The line names the file and the number of the key, never the key."""
    keys = tmp_path / "keys"
    keys.write_text(text)
    tls = certificate(tmp_path)
    (line,) = refused(tmp_path, OTEL_BRIDGE_OVERLAY="gateway", OTEL_BRIDGE_INGEST_TOKEN_FILE=str(keys), **tls)
    assert line.startswith(f"{keys}: {what}")
    assert "0123456789" not in line


def test_an_empty_variable_is_as_if_it_were_not_set(tmp_path: Path) -> None:
    """The collector would read null: no limit for a body, no rotation. What is refused and what is taken is as by the defaults."""
    names = ("MAX_BODY_BYTES", "MEMORY_MIB", "LOG_LEVEL", "METRICS_HOST", "FILE_MEGABYTES", "FILE_DAYS", "FILE_BACKUPS")
    with running(tmp_path / "intake", {f"OTEL_BRIDGE_{name}": "" for name in names}) as intake:
        sizes = [1_000, 300_000]
        assert [post(intake, request([record(1, padding="x" * size)])) for size in sizes] == [200, 400]


def test_a_limit_of_white_space_is_refused(tmp_path: Path) -> None:
    """A blank in the place of a number would be null too; base.yaml's variables are looked at as a sink's are."""
    (line,) = refused(tmp_path, OTEL_BRIDGE_MAX_BODY_BYTES=" ")
    assert line.startswith("collector-config/base.yaml: OTEL_BRIDGE_MAX_BODY_BYTES begins or ends with white space")


def test_a_key_with_words_in_front_of_it_is_a_key(tmp_path: Path) -> None:
    """What openssl takes out of a PKCS #12 file begins with attributes, whose lines may end with a blank."""
    told = certificate(tmp_path)
    key = Path(told["OTEL_BRIDGE_TLS_KEY"])
    key.write_text(f"Bag Attributes\n    friendlyName: intake \nKey Attributes: <No Attributes> \n{key.read_text()}")
    keys = tmp_path / "keys"
    keys.write_text("- 0123456789abcdef-first\n")
    with running(
        tmp_path / "intake", {"OTEL_BRIDGE_OVERLAY": "gateway", "OTEL_BRIDGE_INGEST_TOKEN_FILE": str(keys), **told}
    ) as intake:
        assert post(intake, b"{}") in (0, 400)  # it speaks TLS alone


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The collector's YAML, to be edited."""
    return shutil.copytree(ROOT / "collector-config", tmp_path / "config", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize(
    ("added", "what"),
    [
        ("  extensions: [health_check]\n", "service.extensions replaces base.yaml's list"),
        ("  pipelines:\n    logs/mine: {receivers: [otlp], exporters: [file/logs]}\n", "pipeline logs/mine reads [otlp]"),
        ("  pipelines:\n    logs/intake: {processors: []}\n", "pipeline logs/intake belongs to privacy.yaml"),
    ],
)
def test_a_sink_file_that_weakens_another_is_refused_by_name(tmp_path: Path, config: Path, added: str, what: str) -> None:
    """A list that base has too, a pipeline in front of privacy, privacy's own pipeline."""
    file = config / "sinks/mine.yaml"
    file.write_text(f"# A sink of our own.\nexporters: {{file/logs: {{path: {tmp_path / 'mine'}}}}}\nservice:\n{added}")
    lines = refused(tmp_path, OTEL_BRIDGE_COLLECTOR_CONFIG=str(config), OTEL_BRIDGE_SINK="file", OTEL_BRIDGE_SINK_2="mine")
    assert [line for line in lines if not line.startswith(f"{file}: ")] == []
    assert lines[0].startswith(f"{file}: {what}")


def test_an_attribute_that_privacy_does_not_know_yet_is_named(tmp_path: Path, config: Path) -> None:
    """`collector validate REGISTRY` names it and the command that writes the file anew; until then the event arrives without it."""
    product = shutil.copytree(KITCHEN.parent, tmp_path / "kitchen", ignore=shutil.ignore_patterns("__pycache__"))
    registry = product / "telemetry.yaml"
    more = '  - key: kitchen.colour\n    type: string\n    brief: A colour.\n    examples: [red]\n    stability: development\n    annotations: {privacy: {policy: enum, values: [red], purpose: "Which?", category: usage, owner: telemetry@example.org}}\n'
    text = registry.read_text().replace("\nevents:\n", f"\n{more}events:\n", 1)
    text = text.replace("    attributes:\n", "    attributes:\n      - {ref: kitchen.colour, requirement_level: recommended}\n", 1)
    registry.write_text(text)
    told = {"OTEL_BRIDGE_COLLECTOR_CONFIG": str(config)}
    (line,) = refused(tmp_path, "validate", str(registry), str(ROOT / "examples/shop/telemetry.yaml"), **told)
    assert line.startswith(
        f"{config / 'privacy.yaml'}: does not know kitchen.colour, and events would arrive without; write it anew"
    )
    assert f"otel-bridge collector privacy {registry} " in line
    with running(tmp_path / "intake", told) as intake:
        assert post(intake, request([record(1, **{"kitchen.colour": "red", "kitchen.transport": "ssh"})])) == 200
        (item,) = in_file(intake, "logs")
    assert sorted(attributes(item)) == ["kitchen.transport", "log.record.uid"]
