"""The page on which a person decides whether to trust us: what it says, that it obeys nobody, and how a browser shows it."""

import base64
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from export.test_otlp import answering

MINUTES = 3  # that a browser may take on a busy machine
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEW = ("otel-bridge", "view", "--product", "kitchen")
ALLOWED = {
    "aria-label",
    "aria-labelledby",
    "charset",
    "class",
    "content",
    "data-head",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "scope",
}
TAGS = {
    "a",
    "article",
    "body",
    "caption",
    "code",
    "details",
    "div",
    "footer",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "li",
    "main",
}
TAGS |= {
    "meta",
    "nav",
    "p",
    "section",
    "span",
    "strong",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
}


def marker(place: str) -> str:
    """What somebody plants in a file of ours; each place has its own."""
    return f'"><script>alert("{place}")</script><img src=http://127.0.0.1:1/{place} onerror=alert(1)>'


class Page(HTMLParser):
    """A page as a browser reads it: its elements in order, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = self.style = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "style" and not self.style:
            self.style = data
        else:
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def page(world: World, *more: str, **environment: str) -> Page:
    return Page(Path(world.run(*VIEW, *more, **environment).stdout.strip()).read_text())


@pytest.fixture
def used(world: World) -> World:
    """Kitchen is on, three records were sent, two wait."""
    world.on()
    with answering(200, {"Content-Type": "application/x-protobuf"}, b"") as server:
        world.run("kitchen", "create", "debian")
        world.run("kitchen", "converge", "debian")
        world.run("otel-bridge", "drain", "--product", "kitchen", OTEL_BRIDGE_ENDPOINT=server.endpoint)
    world.run("kitchen", "destroy", "debian")
    return world


@pytest.fixture
def planted(used: World) -> World:
    """Somebody has written markup into every file that the page is made of."""
    folder = used.state / "kitchen"
    spool = folder / "spool/logs.jsonl"
    line = json.loads(spool.read_text().splitlines()[0])
    (group,) = line["resourceLogs"]
    (record,) = group["scopeLogs"][0]["logRecords"]

    def plant(place: str) -> str:
        record["eventName"] = marker(f"{place}-name")
        record["attributes"] = [{"key": marker(f"{place}-key"), "value": {"stringValue": marker(f"{place}-value")}}]
        group["resource"]["attributes"] = [{"key": "host.arch", "value": {"stringValue": marker(f"{place}-resource")}}]
        return json.dumps(line) + "\n"

    with spool.open("a") as file:
        file.write(plant("spool"))
    for path in ("quarantine/logs.jsonl", "local/spool/logs.jsonl", "deletion.jsonl"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(plant(path.partition("/")[0].partition(".")[0]))
    told = {name: marker(f"ledger-{name}") for name in ("time", "endpoint", "status", "sha256", "rejected")}
    with (folder / "sent/sent.jsonl").open("a") as file:
        file.write(json.dumps(told | {marker("ledger-key"): [1]} | json.loads(plant("ledger"))) + "\n")
        file.write(json.dumps([marker("ledger-list")]) + "\n" + json.dumps({"resourceLogs": marker("ledger-torn")}) + "\n")
    for name, text in {
        "lost": f"{marker('lost')} = 3\n",
        "notice": f"shown = {marker('notice')}\n",
        "ids": f"{marker('ids').replace(' ', '')}\n",
        "drain": f"error = {marker('trouble')}\n",
        "identity": f"installation = {marker('id')}\nperiod = {marker('period')}\nuntil = {marker('until')}\n",
        "choice": f"telemetry = on\nsince = 2026-01-01T00:00:00Z\nrefused = category:{marker('refused').replace(' ', '')}\n",
        "../.session": f"kitchen = {marker('session')}\n",
    }.items():
        (folder / name).write_text(text)
    (used.home / ".config/otel-bridge").mkdir(parents=True)
    (used.home / ".config/otel-bridge/choice").write_text(f"telemetry = on\nsince = {marker('since')}\n")
    return used


def test_the_text_names_every_event_and_value_with_its_purpose(used: World) -> None:
    """Whatever `list` knows stands in it, and so does every value that left, and where to change it."""
    text = used.run(*VIEW, "--text").stdout
    told = used.json("otel-bridge", "list", "--product", "kitchen", "--json")
    wanted = [one[part] for one in told["events"] for part in ("name", "brief")]
    wanted += [part for key, one in told["attributes"].items() for part in (key, one["brief"], one["purpose"], one["keeps"])]
    assert [one for one in wanted if one not in text] == []
    entries = used.run("otel-bridge", "sent", "--product", "kitchen", "--json").stdout.splitlines()
    left = [
        value for line in entries for value in re.findall(r'"(?:stringValue|intValue|traceId|sha256|endpoint)":"([^"]+)"', line)
    ]
    assert len(left) > 50 and [one for one in left if one not in text] == []
    for verb in ("on", "off", "local", "preview", "reset-id", "forget"):
        assert f": otel-bridge {verb} --product kitchen\n" in text
    assert "Telemetry of kitchen is on: your choice for kitchen.\n" in text
    assert f"Decided by: {used.state}/kitchen/choice\n" in text
    assert "<" not in text and "&" not in text and "\x1b" not in text


def test_the_page_and_its_text_say_the_same(used: World) -> None:
    """Every word of the page stands in the text, in the same order, but for the links within the page and the column heads."""
    text = used.run(*VIEW, "--text").stdout
    path = used.run(*VIEW).stdout.strip()
    body = re.sub(
        r"<nav.*?</nav>|<thead>.*?</thead>|<a class.*?</a>", "", Path(path).read_text().partition("<body>")[2], flags=re.S
    )
    words = [re.sub(r"\W", "", word) for word in Page(body.replace("<", " <")).text.split()]
    found = iter(re.sub(r"\W", "", word) for word in text.split())
    made = re.compile(r"\d{8}T\d{6}Z")  # the two were not made in the same second
    missing = [word for word in words if word and not made.fullmatch(word) and word not in found]
    assert missing == []


def test_json_is_what_export_prints(used: World) -> None:
    """One answer to "what is held", whichever verb asks."""
    found = used.json(*VIEW, "--json")
    exported = used.json("otel-bridge", "export", "--product", "kitchen")
    assert {**found, "time": ""} == {**exported, "time": ""}
    assert [one["product"] for one in used.json("otel-bridge", "view", "--all", "--json")] == ["kitchen"]


def test_the_page_is_one_private_file_which_the_next_one_replaces_and_forget_deletes(used: World) -> None:
    """It stands among what is kept about the product, for the person alone; nothing else is made."""
    before = set(used.root.rglob("*"))
    for _ in range(2):
        done = used.run(*VIEW)
        assert (done.stdout, done.stderr) == (f"{used.state}/kitchen/view.html\n", "")
    made = set(used.root.rglob("*")) - before
    assert made == {used.state / "kitchen/view.html"}
    (file,) = made
    assert file.stat().st_mode & 0o777 == 0o600
    used.run("otel-bridge", "forget", "--product", "kitchen", ok=None)
    assert not file.exists()


def test_a_page_of_what_keeps_nothing_or_of_several_products_goes_to_a_private_temporary_folder(used: World) -> None:
    """No product becomes known by being looked at."""
    several = used.state / "another"
    several.mkdir()
    for words in (("--product", "unheard-of"), ("--all",)):
        file = Path(used.run("otel-bridge", "view", *words).stdout.strip())
        assert file.parent.parent == used.root / "tmp"
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert len(Page(file.read_text()).all("h2")) == (1 if "--product" in words else 2)
    assert not (used.state / "unheard-of").exists()


def test_out_names_the_file_and_a_failure_is_one_line(used: World) -> None:
    """What --out names is written for the person alone, page or text; what cannot be written or read is told without a traceback."""
    assert used.run(*VIEW, "--out", "page.html").stdout == "page.html\n"
    used.run(*VIEW, "--text", "--out", "page.txt")
    assert (used.work / "page.html").read_text().startswith("<!doctype html>")
    assert (used.work / "page.txt").read_text().startswith("== Telemetry on this machine\n")
    assert {(used.work / name).stat().st_mode & 0o777 for name in ("page.html", "page.txt")} == {0o600}
    assert not (used.state / "kitchen/view.html").exists()
    done = used.run(*VIEW, "--out", "missing/page.html", ok=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "missing/page.html: cannot be written: No such file or directory\n",
    )
    (used.state / "kitchen/sent/sent.jsonl").write_text("[" * 100_000 + "\n")
    done = used.run(*VIEW, ok=None)
    assert "Traceback" not in done.stderr and done.stderr.count("\n") == done.returncode


def test_a_product_without_a_past_has_a_whole_page(world: World) -> None:
    """No part is missing or broken because there is nothing to show in it."""
    found = page(world)
    for said in (
        "Telemetry of kitchen is off: nobody has chosen yet.",
        "Nothing is recorded, and nothing is sent.",
        "Nothing waits to leave.",
        "Nothing has left this machine yet.",
        "Nothing was lost.",
        "Nothing is recorded for yourself alone.",
        "Nothing is kept aside because the intake refused it.",
        "No deletion request waits.",
    ):
        assert said in found.text, said
    assert len(found.all("h3")) == 5
    assert not re.search(r"None\b[^:]|\$|\{|\[\]", found.text)


@pytest.mark.parametrize(
    ("file", "text", "variable"),
    [
        ("", "", "DO_NOT_TRACK"),
        ("", "", "KITCHEN_TELEMETRY_OPTOUT"),
        ("home/.config/otel-bridge/choice", "telemetry = off\n", ""),
        ("home/.config/otel-bridge/choice", "telemetry = local\n", "OTEL_SDK_DISABLED"),
        ("work/.otel-bridge/off", "", "DO_NOT_TRACK"),
    ],
)
def test_the_commands_that_it_names_turn_it_on(world: World, file: str, text: str, variable: str) -> None:
    """Typed one after the other, what stands before "Turn it on" and that itself make it on, whatever kept it off."""
    if file:
        (world.root / file).parent.mkdir(parents=True)
        (world.root / file).write_text(text)
    environment = {variable: "true"} if variable else {}
    told = world.run(*VIEW, "--text", **environment).stdout
    steps = re.findall(r"^  (?:Before it can be on|Turn it on): (.+)$", told, re.M)
    assert len(steps) == 1 + bool(file) + bool(variable)
    assert "Telemetry of kitchen is off:" in told or "Telemetry of kitchen is local:" in told
    typed = "; ".join((*(f"{step} >&2" for step in steps), "otel-bridge status --product kitchen --json"))
    assert world.json("sh", "-c", typed, **environment)["mode"] == "on"


def test_nothing_planted_becomes_more_than_text(planted: World) -> None:
    """Whoever edits spool, ledger, losses or choices adds words to the page, never an element, an attribute or a request."""
    (planted.state / 'a"><img src=x onerror=alert(1)>').mkdir()
    for words in (VIEW, ("otel-bridge", "view", "--all")):
        found = Page(Path(planted.run(*words).stdout.strip()).read_text())
        assert {tag for tag, _ in found.elements} <= TAGS
        assert {name for _, attributes in found.elements for name in attributes} <= ALLOWED
        assert all(one["href"].startswith("#") for one in found.all("a"))
        assert not re.search(r"url\(|@import|expression|https?:", found.style)
    assert found.text.count('a"><img src=x onerror=alert(1)>') >= 3
    places = [
        f"{one}-{part}" for one in ("spool", "quarantine", "local", "deletion", "ledger") for part in ("key", "value", "resource")
    ]
    places += ["ledger-name", "ledger-time", "ledger-endpoint", "ledger-status", "ledger-sha256", "ledger-rejected"]
    places += ["ledger-torn", "lost", "notice", "id", "period", "until", "since", "spool-name"]
    shown = planted.run(*VIEW, "--text").stdout
    assert [one for one in places if marker(one) not in found.text or marker(one) not in shown] == []
    assert marker("refused").replace(" ", "") in found.text
    (planted.state / "kitchen/deletion.jsonl").unlink()  # it says more than any other trouble
    assert marker("trouble") in page(planted).text


def test_what_a_terminal_would_obey_or_hide_is_spelt_out(used: World) -> None:
    """Escape sequences, line ends and marks that turn the direction of writing come out as letters, in text and page."""
    planted = "\x1b]0;owned\x07\x1b[2J\r\n== What left\u202eevil\u200b\x9b"
    with (used.state / "kitchen/sent/sent.jsonl").open("a") as file:
        file.write(json.dumps({"endpoint": planted, "time": "\ud800"}) + "\n")
    for text in (used.run(*VIEW, "--text").stdout, Path(used.run(*VIEW).stdout.strip()).read_text()):
        assert r"\x1b]0;owned\x07\x1b[2J\r\n== What left\u202eevil\u200b\x9b" in text and r"\ud800" in text
        assert all(one.isprintable() or one == "\n" for one in text)


def test_the_page_is_well_built(planted: World) -> None:
    """One h1, headings that skip no level, tables with captions and scopes, links that lead somewhere, ids given once."""
    planted.run(*VIEW)
    path = Path(planted.run(*VIEW).stdout.strip())
    found = Page(path.read_text())
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {one["href"][1:] for one in found.all("a")} <= set(ids)
    assert {one["aria-labelledby"] for _, one in found.elements if "aria-labelledby" in one} <= set(ids)
    tables = path.read_text().split("<table")[1:]
    assert tables and all(re.match(r"[^>]*>\s*<caption>", table) for table in tables)
    assert all(one.get("scope") in ("row", "col") for one in found.all("th"))
    metas = {one.get("http-equiv") or one.get("name"): one["content"] for one in found.all("meta") if "content" in one}
    assert metas["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert metas["color-scheme"] == "light dark" and found.all("html") == [{"lang": "en"}]
    assert all(summary for summary in re.findall(r"<summary>(.*?)</summary>", path.read_text(), re.S))


def test_on_a_terminal_a_browser_opens_it_and_says_nothing_there(used: World) -> None:
    """It is opened for whoever sits there, by a browser that can neither write to the terminal nor keep it."""
    browser, opened, closed = (used.root / name for name in ("browser", "opened", "closed"))
    browser.write_text(f'#!/bin/sh\necho noise; echo noise >&2; echo "$1" > {opened}\nuntil [ -e {closed} ]; do sleep 0.2; done\n')
    browser.chmod(0o755)
    leader, follower = pty.openpty()
    environment = used.environment(BROWSER=str(browser))
    done = subprocess.run(
        VIEW, cwd=used.work, env=environment, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, timeout=300
    )
    os.close(follower)
    assert done.returncode == 0  # and the browser is still there
    path = used.state / "kitchen/view.html"
    until = time.monotonic() + 60
    while not opened.exists() or not opened.read_text():
        assert time.monotonic() < until
        time.sleep(0.1)
    closed.touch()
    assert opened.read_text() == f"{path.as_uri()}\n"
    assert os.read(leader, 65536).decode() == f"{path}\r\n"
    os.close(leader)


class Browser:
    """A headless Chromium, driven over pipes by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol)."""

    def __init__(self, folder: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        start = f"import os, sys; os.dup2({ends[0]}, 3); os.dup2({ends[1]}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        words = [CHROMIUM or "", "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        words += ["--disable-dev-shm-usage", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--hide-scrollbars"]
        words += ["--no-sandbox"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            [sys.executable, "-c", start, *words],
            pass_fds=ends,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self.timer = threading.Timer(MINUTES * 60, self.kill)
        self.timer.start()
        self.out, self.into = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb")
        self.number, self.rest, self.session = 0, b"", {}
        self.events: list[dict[str, Any]] = []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self.session = {"sessionId": self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Network", "Runtime", "Accessibility"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **parameters: object) -> Any:
        """Have a command done; events that come before its answer are kept."""
        self.number += 1
        self.out.write(json.dumps({"id": self.number, "method": method, "params": parameters, **self.session}).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                more = self.into.read1(1 << 16)
                assert more, "the browser has ended"
                self.rest += more
            line, _, self.rest = self.rest.partition(b"\0")
            told = json.loads(line)
            if told.get("id") == self.number:
                assert "error" not in told, told
                return told["result"]
            self.events.append(told)

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        told = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, path: Path) -> list[str]:
        """Open a page, wait until it is there and idle; every address that it asked for."""
        self.events.clear()
        self.do("Page.navigate", url=path.as_uri())
        while not any(one["method"] == "Page.loadEventFired" for one in self.events):
            self.js("0")
            time.sleep(0.05)
        self.js("document.readyState")
        return [one["params"]["request"]["url"] for one in self.events if one["method"] == "Network.requestWillBeSent"]

    def look(self, width: int, scheme: str, media: str = "") -> None:
        """A window this wide, in this colour scheme."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.do("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # its own session: nobody else's process is in it

    def close(self) -> None:
        self.timer.cancel()
        self.kill()
        self.process.wait()
        self.out.close()
        self.into.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "no Chromium is installed (Debian's package is chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    started = Browser(tmp_path / "chromium")
    yield started
    started.close()


OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
CONTRASTS = """(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
  const behind = one => { const c = parts(getComputedStyle(one).backgroundColor);
    return c.length > 3 && c[3] === 0 && one.parentElement ? behind(one.parentElement) : c; };
  const words = [...document.querySelectorAll('body *')].filter(one => one.checkVisibility() &&
    [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return words.map(one => { const [a, b] = [parts(getComputedStyle(one).color), behind(one)].map(light);
    return [one.tagName.toLowerCase() + '.' + one.className, a, b, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]; });
})()"""


def test_a_browser_asks_nobody_and_runs_nothing(planted: World, browser: Browser) -> None:
    """Of a page with markup in every value it loads the file alone; the same watch sees what a careless page asks for."""
    planted.run(*VIEW)
    path = planted.state / "kitchen/view.html"
    assert browser.open(path) == [path.as_uri()]
    browser.js(OPEN_ALL)
    assert browser.js("[document.scripts, document.images, document.forms, document.embeds].map(one => one.length)") == [0, 0, 0, 0]
    said = browser.js("document.body.innerText")
    assert marker("ledger-key") in said and marker("spool-value") in said
    careless = planted.root / "careless.html"
    careless.write_text("<!doctype html><img src=http://127.0.0.1:1/x>")
    assert browser.open(careless) == [careless.as_uri(), "http://127.0.0.1:1/x"]


def test_it_fits_a_narrow_window_and_stays_a_table_there(planted: World, browser: Browser, tmp_path: Path) -> None:
    """At 400 pixels nothing is cut off or scrolls sideways, folded or not, and what a screen reader is told does not change."""
    planted.run(*VIEW)
    browser.open(planted.state / "kitchen/view.html")
    roles = []
    for width in (1200, 400):
        browser.look(width, "light")
        for unfold in ("", OPEN_ALL):
            browser.js(unfold)
            assert browser.js("document.documentElement.scrollWidth") <= width
            outside = "[...document.querySelectorAll('body *:not(.skip)')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).length"
            assert browser.js(outside) == 0
        nodes = browser.do("Accessibility.getFullAXTree")["nodes"]
        told = [one["role"]["value"] for one in nodes if not one["ignored"]]
        wanted = (
            "table",
            "caption",
            "row",
            "rowheader",
            "columnheader",
            "cell",
            "heading",
            "region",
            "main",
            "banner",
            "contentinfo",
        )
        roles.append({role: told.count(role) for role in wanted})
        picture = browser.do("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (tmp_path / f"{width}.png").write_bytes(base64.b64decode(picture))  # for whoever wants to see it
        browser.js(OPEN_ALL.replace("true", "false"))
    assert roles[0] == roles[1] and all(roles[0].values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_what_is_behind_it(planted: World, browser: Browser, scheme: str) -> None:
    """WCAG 2.2's ratio for text, 4.5 to 1, for every element that holds words, in the colour scheme that the person has."""
    planted.run(*VIEW)
    browser.open(planted.state / "kitchen/view.html")
    browser.look(1200, scheme)
    browser.js(OPEN_ALL)
    found = browser.js(CONTRASTS)
    assert {"p.", "a.", "th.", "td.", "code.", "summary.", "caption.", "span.muted", "strong.", "h1.", "h2.", "h3."} <= {
        one[0] for one in found
    }
    assert [one for one in found if one[3] < 4.5] == []
    assert all((text > behind) is (scheme == "dark") for _, text, behind, _ in found)


def test_the_keyboard_reaches_everything_and_enter_unfolds(planted: World, browser: Browser) -> None:
    """Tab goes through every link and every fold in the order of the page, each with a ring around it; Enter opens a fold."""
    planted.run(*VIEW)
    browser.open(planted.state / "kitchen/view.html")
    browser.look(400, "dark")
    browser.js(
        "window.stops = [...document.querySelectorAll('a, summary')].filter(one => one.checkVisibility({contentVisibilityAuto: true}))"
    )
    number = browser.js("stops.length")
    assert number > 15
    ring = "(one => [stops.indexOf(one), getComputedStyle(one).outlineStyle, getComputedStyle(one).outlineWidth])(document.activeElement)"
    reached = []
    for _ in range(number):
        browser.press("Tab", 9)
        reached.append(browser.js(ring))
    assert reached == [[at, "solid", "3px"] for at in range(number)]
    assert browser.js("stops.filter(one => one.closest('details')?.open).length") == 0
    browser.press("Enter", 13, "\r")
    assert browser.js("document.activeElement.parentElement.open && document.activeElement === stops.at(-1)")


def test_on_paper_nothing_stays_folded(planted: World, browser: Browser) -> None:
    """What is printed shows every value, and no links that paper cannot follow."""
    planted.run(*VIEW)
    browser.open(planted.state / "kitchen/view.html")
    hidden = "[...document.querySelectorAll('details td, details p')].filter(one => !one.checkVisibility()).length"
    assert browser.js(hidden) > 100  # on the screen
    browser.look(800, "dark", media="print")
    assert browser.js(hidden) == 0
    assert [one for one in browser.js(CONTRASTS) if one[3] < 4.5] == []
    assert browser.js("[...document.querySelectorAll('a')].filter(one => one.checkVisibility()).length") == 0
    assert browser.js("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
