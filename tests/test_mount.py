"""`kitchen telemetry ...`: our verbs in a product's own command line, with click, typer and argparse."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, World

sys.path.insert(0, str(Path(__file__).parent / "export"))
from test_otlp import answering

from otel_bridge.commands import PERSONAL

CLICK = """
import click, otel_bridge
@click.group()
def main(): pass
@main.command()
def work(): click.echo('worked')
main.add_command(otel_bridge.mount.click_group())
"""
TYPER = """
import typer, otel_bridge
app = typer.Typer()
@app.command()
def work(): print('worked')
app.add_typer(otel_bridge.mount.typer_app(), name='telemetry')
def main(): app(prog_name='probe')
"""
ARGPARSE = """
import argparse, otel_bridge
def main():
    parser = argparse.ArgumentParser(prog='probe')
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('work')
    otel_bridge.mount.argparse_parser(commands)
    parser.parse_args()
    print('worked')
"""


@pytest.fixture(params=[CLICK, TYPER, ARGPARSE], ids=["click", "typer", "argparse"])
def product(request: pytest.FixtureRequest, world: World, probe: Callable[[str], list[str]]) -> Callable[..., str]:
    """Runs the small product, mounted in one of three ways; gives what it prints on both streams."""
    words = probe(request.param)

    def run(*more: str, ok: bool | None = True, **variables: str) -> str:
        done = world.run(*words, *more, ok=ok, **variables)
        return done.stdout + done.stderr

    return run


def test_the_verbs_are_there_and_do_what_they_do(world: World, product: Callable[..., str]) -> None:
    """Choices, status, records: bound to the product without naming it; the host's own command is as it was."""
    assert product("telemetry", "status").startswith("probe: off (nobody has chosen yet)\n")
    assert product("telemetry", "on").startswith("probe: on (")
    assert product("work") == "worked\n"
    assert '"service.name"' in product("telemetry", "preview", "--json")
    told = json.loads(product("telemetry", "status", "--json"))
    assert (told["product"], told["mode"], told["pending"]) == ("probe", "on", {"logs": 0, "traces": 1})
    assert product("telemetry", "list").startswith("probe 1.2.3")
    assert product("telemetry", "lost") == "probe: nothing was lost\n"
    assert product("telemetry", "off").startswith("probe: off (")
    assert not (world.state / "probe/spool").exists()


def test_help_names_every_verb(world: World, product: Callable[..., str]) -> None:
    """In the product's own words, too."""
    told = product("telemetry", "--help")
    assert all(verb in told for verb in PERSONAL)
    assert "telemetry" in product("--help")


def test_looking_at_telemetry_is_not_usage(world: World, product: Callable[..., str]) -> None:
    """Runs of the verbs are not recorded, whatever becomes of them."""
    product("telemetry", "on")
    product("telemetry", "status")
    product("telemetry", "--help")
    product("telemetry", "no-such-verb", ok=False)
    product("telemetry", "off", "--event", "a b", ok=False)
    assert world.waiting("probe") == []


def test_what_cannot_be_done_is_one_line_and_exit_code_1(world: World, product: Callable[..., str]) -> None:
    """No traceback, no frame of ours."""
    told = product("telemetry", "off", "--event", "a b", ok=False)
    assert told == "`event:a b` is no name; `otel-bridge list` shows the categories and events of a product\n"


def test_forget_through_the_product(world: World, product: Callable[..., str]) -> None:
    """The last thing a person may want to say."""
    product("telemetry", "on")
    product("work")
    with answering(200, {}, b"") as server:
        told = product("telemetry", "forget", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    assert told == "probe: off; the intake took the deletion request, and everything here is deleted but this choice\n"
    assert [path.name for path in (world.state / "probe").iterdir()] == ["choice"]


def test_a_run_that_passes_by_does_not_load_mount(world: World, probe: Callable[[str], list[str]]) -> None:
    """With click nothing of mount.py is loaded until a verb is asked for."""
    code = CLICK + "import atexit, sys\natexit.register(lambda: print('otel_bridge.mount' in sys.modules))\n"
    assert world.run(*probe(code), "work").stdout == "worked\nFalse\n"
    assert world.run(*probe(code), "telemetry", "lost").stdout.endswith("True\n")


@pytest.mark.parametrize("program", [TYPER, ARGPARSE], ids=["typer", "argparse"])
def test_a_run_that_passes_by_does_not_load_the_verbs(world: World, probe: Callable[[str], list[str]], program: str) -> None:
    """Nor what they need: no OpenTelemetry, no requests, no YAML; an argparse program does not even meet click."""
    heavy = ("opentelemetry", "requests", "google", "yaml", *(("click",) if program is ARGPARSE else ()))
    code = f"{program}\nimport atexit, sys\natexit.register(lambda: print([one for one in {heavy} if one in sys.modules]))\n"
    assert world.run(*probe(code), "work").stdout == "worked\n[]\n"


def test_the_notice_names_the_product_s_own_command(world: World, probe: Callable[[str], list[str]]) -> None:
    """Who has never heard of `otel-bridge` need not."""
    program = world.work / "probe"
    words = probe(CLICK)
    program.write_text(f"#!{words[0]}\n{words[2]}")
    program.chmod(0o755)
    told = world.terminal(str(program), "work").wait().text
    assert "  turn it off:   probe telemetry off\n" in told


def test_the_session_in_the_docs_is_what_happens(world: World) -> None:
    """Each command of docs/telemetry-in-your-cli.md, on a terminal; moments, ids and digests apart."""
    page = (ROOT / "docs/telemetry-in-your-cli.md").read_text()
    shown = re.search(r"```console\n(\$ kitchen create.*?)```", page, re.DOTALL)
    assert shown
    (world.work / ".kitchen.yml").write_text((ROOT / "examples/kitchen/.kitchen.yml").read_text())
    with answering(200, {}, b"") as server:
        told = []
        for line in shown[1].splitlines():
            if line.startswith("$ "):
                done = world.terminal(*line[2:].split(), OTEL_BRIDGE_ENDPOINT=server.endpoint).wait()
                told += [line, *masked(done.text, world, server.endpoint)]
    assert told == masked(shown[1], world, server.endpoint)
    assert len(told) > 40


def masked(text: str, world: World, endpoint: str) -> list[str]:
    """Lines without what differs between two sessions."""
    text = text.replace(str(world.home), "~").replace(endpoint, "ENDPOINT").replace("https://telemetry.example.org", "ENDPOINT")
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "MOMENT", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "SHA256", text)
    text = re.sub(r"ID, \w+, [\w-]+, \w+, \w+, [\d.]+, kitchen, 3.6.0(, \d+)?", "PLATFORM", text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]
