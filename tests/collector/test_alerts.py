"""The alert rules: promtool takes them, each alert comes in its case and only then, and each metric is one that the collector has."""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from otel_bridge.collector.process import free_port, running

FOLDER = ROOT / "collector-config/prometheus"
RULES, CASES = FOLDER / "otel-bridge-rules.yaml", FOLDER / "otel-bridge-rules.test.yaml"
LISTED = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
ALERTS = [rule["alert"] for rule in LISTED if "alert" in rule]
OF_PROMETHEUS = {"up"}  # Prometheus itself makes it, of every target


@pytest.fixture(scope="module")
def promtool() -> str:
    """What `make promtool` builds; without it the test is skipped and says so, but never in CI."""
    found = ROOT / ".cache/promtool"
    if not found.exists():
        assert not os.environ.get("CI"), "promtool is missing; `make promtool` builds it"
        pytest.skip("promtool is missing; `make promtool` builds it")
    return str(found)


def told(*words: object, cwd: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)


def test_promtool_takes_the_rules_and_their_cases(promtool: str) -> None:
    """`promtool check rules` finds as many rules as there are, `promtool test rules` finds every case as it should be."""
    done = told(promtool, "check", "rules", RULES.name)
    assert (done.returncode, f"SUCCESS: {len(LISTED)} rules found" in done.stdout) == (0, True), done.stderr
    done = told(promtool, "test", "rules", CASES.name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("instead", ["vector(0) > 1", "vector(1)"], ids=["never", "always"])
def test_the_cases_fail_when_an_alert_never_comes_or_always(promtool: str, tmp_path: Path, instead: str) -> None:
    """With other expressions in the rules, promtool finds a case that is not as it should be for each of the alerts."""
    changed = yaml.safe_load(RULES.read_text())
    for rule in changed["groups"][0]["rules"]:
        rule["expr"] = instead
    (tmp_path / RULES.name).write_text(yaml.safe_dump(changed))
    (tmp_path / CASES.name).write_text(CASES.read_text())
    done = told(promtool, "test", "rules", CASES.name, cwd=tmp_path)
    assert done.returncode == 1
    assert set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr)) == set(ALERTS)


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    """A severity of two, a summary with the instance, a next step."""
    for rule in LISTED:
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert sorted(rule["annotations"]) == ["do", "summary"]
            assert "$labels.instance" in rule["annotations"]["summary"]


def post(endpoint: str, signal: str, body: dict) -> int:
    request = urllib.request.Request(f"{endpoint}/v1/{signal}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as problem:
        return problem.code


def test_every_metric_of_the_rules_is_one_that_the_running_collector_has(tmp_path: Path) -> None:
    """Scraped from a collector whose Splunk is not there and whose queue is full, with the labels by which the rules join."""
    text = "\n".join(str(rule["expr"]) for rule in LISTED)
    named = set(re.findall(r"\b(?:otelcol_\w+|up)\b", text))
    assert set(re.findall(r"otel_bridge:[\w:]+", text)) == {rule["record"] for rule in LISTED if "record" in rule}
    resource = {
        "attributes": [
            {"key": key, "value": {"stringValue": value}}
            for key, value in (("service.name", "kitchen"), ("service.version", "3.6.0"))
        ]
    }
    uid = [{"key": "log.record.uid", "value": {"stringValue": "00000000-0000-4000-8000-000000000001"}}]
    time = {"timeUnixNano": "1796066100000000000"}
    records = [{**time, "eventName": "kitchen.destroy", "attributes": uid}] * 800 + [{**time, "eventName": "undeclared"}]
    ends = {"startTimeUnixNano": "1796066100000000000", "endTimeUnixNano": "1796066100000000000", "name": "cli.run"}
    spans = [{**ends, "traceId": f"{number:032x}", "spanId": f"{number:016x}"} for number in range(1, 801)]
    bodies = {
        "logs": {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]},
        "traces": {
            "resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [*spans, {**spans[0], "name": "undeclared"}]}]}]
        },
    }
    port = free_port()
    variables = {
        "OTEL_BRIDGE_SINK": "splunk",
        "OTEL_BRIDGE_SINK_2": "file",
        "OTEL_BRIDGE_METRICS_PORT": str(port),
        "OTEL_BRIDGE_SPLUNK_URL": f"http://127.0.0.1:{free_port()}",
        "OTEL_BRIDGE_SPLUNK_TOKEN": "x",
        "OTEL_BRIDGE_QUEUE_BYTES": "262144",
    }
    with running(tmp_path / "collector", variables) as collector:
        for signal, body in bodies.items():
            answers = [post(collector.endpoint, signal, body)]
            while answers[-1] == 200 and len(answers) < 100:
                answers.append(post(collector.endpoint, signal, body))
            assert (answers[0], answers[-1]) == (200, 503)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            scraped = answer.read().decode()
    has = {name: set(re.findall(r'(\w+)="', labels)) for name, labels in re.findall(r"^(\w+)\{(.*?)\} ", scraped, re.MULTILINE)}
    assert named - OF_PROMETHEUS - set(has) == set()
    assert {name for name in named if name.startswith("otelcol_exporter_") and "exporter" not in has[name]} == set()
    values = dict(re.findall(r"^(otelcol_receiver_\w+)\{.*\} (\S+)$", scraped, re.MULTILINE))
    refusing = ("refused_log_records", "failed_log_records"), ("refused_spans", "failed_spans")
    assert [any(float(values[f"otelcol_receiver_{name}"]) > 0 for name in pair) for pair in refusing] == [True, True]
