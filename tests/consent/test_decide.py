"""One question, one answer, one reason: the whole table of who decides, and what `status` says of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BIN, World

from otel_bridge import consent
from otel_bridge.commands.status import status
from otel_bridge.consent import SOURCES, decide, variable_of
from otel_bridge.schema.compile import read as read_compiled

SINCE = "2026-01-02T03:04:05Z"
VARIABLES = {
    "DNT": "DO_NOT_TRACK",
    "SDK": "OTEL_SDK_DISABLED",
    "RUN": "OTEL_BRIDGE_RUN",
    "OPTOUT": "KITCHEN_TELEMETRY_OPTOUT",
    "VAR": "KITCHEN_TELEMETRY",
}
NAMES = (
    "organisation",
    "do_not_track",
    "sdk_disabled",
    "inherited",
    "opted_out",
    "variable",
    "project",
    "choice_for_everything",
    "choice_for_product",
)
SPEAKS = dict(zip(("org", "DNT", "SDK", "RUN", "OPTOUT", "VAR", "project", "all", "kitchen"), NAMES, strict=True))

# What is said, the mode that follows, and who decides: each source alone, every pair of them, and what cannot be read.
ROWS = """
org=off                            off    org
org=local                          local  org
org=kitchen                        off    default
DNT=1                              off    DNT
SDK=true                           off    SDK
RUN=off                            off    RUN
org=off RUN=off                    off    org
org=local RUN=off                  off    RUN
DNT=1 RUN=off                      off    DNT
SDK=true RUN=off                   off    SDK
RUN=off OPTOUT=1                   off    RUN
RUN=off VAR=on                     off    RUN
RUN=off VAR=log                    off    RUN
RUN=off project=off                off    RUN
RUN=off all=on                     off    RUN
RUN=off kitchen=on                 off    RUN
RUN=nonsense kitchen=on            on     kitchen
OPTOUT=1                           off    OPTOUT
VAR=on                             on     VAR
VAR=local                          local  VAR
VAR=off                            off    VAR
VAR=log                            off    VAR
project=off                        off    project
all=on                             on     all
all=local                          local  all
all=off                            off    all
kitchen=on                         on     kitchen
kitchen=local                      local  kitchen
kitchen=off                        off    kitchen
org=off DNT=1                      off    org
org=local DNT=1                    off    DNT
org=kitchen DNT=1                  off    DNT
org=off SDK=true                   off    org
org=local SDK=true                 off    SDK
org=kitchen SDK=true               off    SDK
org=off OPTOUT=1                   off    org
org=local OPTOUT=1                 off    OPTOUT
org=kitchen OPTOUT=1               off    OPTOUT
org=off VAR=on                     off    org
org=off VAR=local                  off    org
org=off VAR=off                    off    org
org=off VAR=log                    off    org
org=local VAR=on                   local  org
org=local VAR=local                local  org
org=local VAR=off                  off    VAR
org=local VAR=log                  off    VAR
org=kitchen VAR=on                 on     VAR
org=kitchen VAR=local              local  VAR
org=kitchen VAR=off                off    VAR
org=kitchen VAR=log                off    VAR
org=off project=off                off    org
org=local project=off              off    project
org=kitchen project=off            off    project
org=off all=on                     off    org
org=off all=local                  off    org
org=off all=off                    off    org
org=local all=on                   local  org
org=local all=local                local  org
org=local all=off                  off    all
org=kitchen all=on                 on     all
org=kitchen all=local              local  all
org=kitchen all=off                off    all
org=off kitchen=on                 off    org
org=off kitchen=local              off    org
org=off kitchen=off                off    org
org=local kitchen=on               local  org
org=local kitchen=local            local  org
org=local kitchen=off              off    kitchen
org=kitchen kitchen=on             on     kitchen
org=kitchen kitchen=local          local  kitchen
org=kitchen kitchen=off            off    kitchen
DNT=1 SDK=true                     off    DNT
DNT=1 OPTOUT=1                     off    DNT
DNT=1 VAR=on                       off    DNT
DNT=1 VAR=local                    off    DNT
DNT=1 VAR=off                      off    DNT
DNT=1 VAR=log                      off    DNT
DNT=1 project=off                  off    DNT
DNT=1 all=on                       off    DNT
DNT=1 all=local                    off    DNT
DNT=1 all=off                      off    DNT
DNT=1 kitchen=on                   off    DNT
DNT=1 kitchen=local                off    DNT
DNT=1 kitchen=off                  off    DNT
SDK=true OPTOUT=1                  off    SDK
SDK=true VAR=on                    off    SDK
SDK=true VAR=local                 off    SDK
SDK=true VAR=off                   off    SDK
SDK=true VAR=log                   off    SDK
SDK=true project=off               off    SDK
SDK=true all=on                    off    SDK
SDK=true all=local                 off    SDK
SDK=true all=off                   off    SDK
SDK=true kitchen=on                off    SDK
SDK=true kitchen=local             off    SDK
SDK=true kitchen=off               off    SDK
OPTOUT=1 VAR=on                    off    OPTOUT
OPTOUT=1 VAR=local                 off    OPTOUT
OPTOUT=1 VAR=off                   off    OPTOUT
OPTOUT=1 VAR=log                   off    OPTOUT
OPTOUT=1 project=off               off    OPTOUT
OPTOUT=1 all=on                    off    OPTOUT
OPTOUT=1 all=local                 off    OPTOUT
OPTOUT=1 all=off                   off    OPTOUT
OPTOUT=1 kitchen=on                off    OPTOUT
OPTOUT=1 kitchen=local             off    OPTOUT
OPTOUT=1 kitchen=off               off    OPTOUT
VAR=on project=off                 off    project
VAR=local project=off              off    project
VAR=off project=off                off    VAR
VAR=log project=off                off    VAR
VAR=on all=on                      on     VAR
VAR=on all=local                   local  all
VAR=on all=off                     off    all
VAR=local all=on                   local  VAR
VAR=local all=local                local  VAR
VAR=local all=off                  off    all
VAR=off all=on                     off    VAR
VAR=off all=local                  off    VAR
VAR=off all=off                    off    VAR
VAR=log all=on                     off    VAR
VAR=log all=local                  off    VAR
VAR=log all=off                    off    VAR
VAR=on kitchen=on                  on     VAR
VAR=on kitchen=local               local  kitchen
VAR=on kitchen=off                 off    kitchen
VAR=local kitchen=on               local  VAR
VAR=local kitchen=local            local  VAR
VAR=local kitchen=off              off    kitchen
VAR=off kitchen=on                 off    VAR
VAR=off kitchen=local              off    VAR
VAR=off kitchen=off                off    VAR
VAR=log kitchen=on                 off    VAR
VAR=log kitchen=local              off    VAR
VAR=log kitchen=off                off    VAR
project=off all=on                 off    project
project=off all=local              off    project
project=off all=off                off    project
project=off kitchen=on             off    project
project=off kitchen=local          off    project
project=off kitchen=off            off    project
all=on kitchen=on                  on     all
all=on kitchen=local               local  kitchen
all=on kitchen=off                 off    kitchen
all=local kitchen=on               local  all
all=local kitchen=local            local  all
all=local kitchen=off              off    kitchen
all=off kitchen=on                 off    all
all=off kitchen=local              off    all
all=off kitchen=off                off    all
                                   off    default
org=other                          off    org
org=nonsense                       off    org
org=nothing                        off    org
org=binary                         off    org
org=folder                         off    org
org=theirs                         off    org
org=writable                       off    org
org=other kitchen=on               off    org
org=nonsense kitchen=on            off    org
org=writable kitchen=on            off    org
DNT=0 kitchen=on                   on     kitchen
DNT=false kitchen=on               on     kitchen
DNT= kitchen=on                    on     kitchen
DNT=yes kitchen=on                 off    DNT
SDK=1 kitchen=on                   on     kitchen
SDK=TRUE kitchen=on                off    SDK
OPTOUT=0 kitchen=on                on     kitchen
VAR=ON                             on     VAR
VAR=1                              on     VAR
VAR=0 kitchen=on                   off    VAR
VAR=perhaps                        off    VAR
VAR=perhaps kitchen=on             off    VAR
VAR= kitchen=on                    on     kitchen
project=folder kitchen=on          off    project
project=above kitchen=on           off    project
project=locked kitchen=on          on     kitchen
all=nonsense                       off    all
all=empty                          off    all
all=binary                         off    all
all=folder                         off    all
all=theirs                         off    all
all=pipe                           off    all
all=link                           on     all
all=link-to-theirs                 off    all
all=nonsense kitchen=on            off    all
all=on kitchen=nonsense            off    kitchen
kitchen=nonsense                   off    kitchen
kitchen=empty                      off    kitchen
kitchen=binary                     off    kitchen
kitchen=folder                     off    kitchen
kitchen=theirs                     off    kitchen
kitchen=pipe                       off    kitchen
kitchen=link                       on     kitchen
kitchen=refuses                    off    default
kitchen=refuses all=on             on     all
notice=opt_in                      off    default
notice=opt_out                     on     notice
notice=theirs                      off    default
notice=opt_out kitchen=off         off    kitchen
notice=opt_out kitchen=local       local  kitchen
notice=opt_out DNT=1               off    DNT
notice=opt_out CI=true             off    default
notice=opt_out CLAUDECODE=1        off    default
notice=opt_out container=podman    off    default
notice=opt_out TOX_ENV_NAME=py     off    default
CI=true                            off    default
CI=true kitchen=on                 on     kitchen
CI=true VAR=on                     on     VAR
HOME= VAR=on                       off    all
"""


class Place:
    """A home, a working directory and an organisation's policy that say what a row wants them to say."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root, self.patch = root, patch
        self.files = {
            "org": root / "etc/policy",
            "all": root / "home/.config/otel-bridge/choice",
            "kitchen": root / "home/.local/state/otel-bridge/kitchen/choice",
            "notice": root / "home/.local/state/otel-bridge/kitchen/notice",
        }
        for file in self.files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
        (root / "work/deep").mkdir(parents=True)
        patch.setattr(consent, "ORGANISATION", str(self.files["org"]))
        for variable in (
            *consent.SURROUNDINGS.split()[::2],
            *VARIABLES.values(),
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "OTEL_BRIDGE_ENDPOINT",
        ):
            patch.delenv(variable, raising=False)
        patch.setenv("HOME", str(root / "home"))
        patch.chdir(root / "work/deep")

    def alone(self) -> None:
        """Forget that pytest runs this: its variable counts as surroundings, and it sets it again for every call."""
        self.patch.delenv("PYTEST_CURRENT_TEST", raising=False)

    def say(self, what: str, how: str) -> None:
        """Let one source speak."""
        if what in self.files:
            self._file(self.files[what], what, how)
        elif what == "project":
            folder = self.root / ("work" if how == "above" else "work/deep") / ".otel-bridge"
            folder.mkdir()
            (folder / ("on" if how == "locked" else "off")).mkdir() if how in ("folder", "locked") else (folder / "off").write_text(
                ""
            )
        else:
            self.patch.setenv(VARIABLES.get(what, what), how)

    def _file(self, path: Path, what: str, how: str) -> None:
        text = f"telemetry = {how}\nsince = {SINCE}\n"
        if how in ("theirs", "writable", "link", "link-to-theirs", "pipe"):
            text = f"telemetry = {'local' if what == 'org' else 'on'}\nsince = {SINCE}\n"
        if what == "notice":
            text = f"shown = {SINCE}\ndeclaration = abc\ndefault = {'opt_out' if how == 'theirs' else how}\n"
        texts = {"kitchen": "products = other, kitchen\n", "other": "products = other\n", "nonsense": "telemetry = perhaps\n"}
        texts |= {"nothing": "# no word\n", "empty": "", "refuses": "refused = category:platform\n", "binary": "\x00\x01"}
        real = path.with_name("elsewhere") if how.startswith("link") else path
        if how == "folder":
            path.mkdir()
        elif how == "pipe":
            os.mkfifo(path)
        else:
            real.write_bytes((texts.get(how, text)).encode() + (b"\xff" if how == "binary" else b""))
            real.chmod(0o666 if how == "writable" else 0o600)
        if how.startswith("link"):
            path.symlink_to(real)
        if how in ("theirs", "link-to-theirs"):
            os.chown(real, 12345, 12345)

    def path(self, who: str) -> str:
        """What `source` has to say when this one decides."""
        if who == "project":
            return str(next((self.root / "work").rglob("off")))
        return str(self.files[who]) if who in self.files else VARIABLES.get(who, who)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


@pytest.mark.parametrize("row", ROWS.strip("\n").splitlines(), ids=lambda row: "-".join(row[:34].split()) or "nothing")
def test_who_decides(place: Place, row: str) -> None:
    """The first that says off decides, else the first that says local, else the first that says on; `status` names it."""
    said, (mode, who) = dict(word.split("=", 1) for word in row[:34].split()), row[34:].split()
    if os.geteuid() != 0 and {"theirs", "link-to-theirs", "org"} & {*said, *said.values()}:
        pytest.skip("only root can give a file away, or own the organisation's policy")
    place.alone()
    for what, how in said.items():
        place.say(what, how)
    decision = decide("kitchen")
    expected = "" if said.get("HOME") == "" else place.path(who)
    assert (decision.mode, decision.source) == (mode, expected)
    told = status("kitchen")
    assert (told["mode"], told["source"], told["reason"]) == (mode, expected, decision.reason)
    spoken = {name for name, one in zip(NAMES, told["sources"], strict=True) if one["says"]}
    assert SPEAKS.get(who, "none of them") in spoken or who in ("default", "notice")
    silent = {SPEAKS[one] for one in SPEAKS if one not in said}
    assert not silent & spoken or said.get("HOME") == ""
    if mode != "off" and who in ("all", "kitchen", "notice"):
        assert decision.since == SINCE


def test_the_table_is_long_enough_and_each_source_is_a_named_function() -> None:
    """At least 120 rows; the sources stand in the order in which they are asked."""
    assert len(set(ROWS.strip("\n").splitlines())) >= 120
    assert tuple(source.__name__ for source in SOURCES) == NAMES


def test_it_holds_from_the_last_yes_on(place: Place) -> None:
    """It takes all of them to say yes, so the later moment counts."""
    place.say("kitchen", "on")
    place.files["all"].write_text("telemetry = on\nsince = 2026-03-03T03:03:03Z\n")
    assert decide("kitchen").since == "2026-03-03T03:03:03Z"


def test_refusals_of_both_choices_add_up(place: Place) -> None:
    """A category refused for all products and an event refused for one are both left out."""
    place.files["all"].write_text("telemetry = on\nrefused = category:platform\n")
    place.files["kitchen"].write_text("refused = event:kitchen.create\n")
    assert decide("kitchen").refused.split() == ["category:platform", "event:kitchen.create"]


def test_the_variable_of_a_product() -> None:
    """Upper case, with underscores."""
    assert variable_of("my-tool.x") == "MY_TOOL_X_TELEMETRY"


SYSTEM_CALLS = """
import os, sys
from otel_bridge.consent import decide
os.chdir(sys.argv[1])
decide("kitchen")
os.access("/begin", 0)
mode = decide("kitchen").mode
os.access("/end", 0)
print(mode)
"""


def strace(place: Place, folder: Path) -> tuple[str, list[str]]:
    """The system calls of one decision."""
    words = ["strace", "-f", "-o", str(place.root / "trace"), sys.executable, "-c", SYSTEM_CALLS, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={"HOME": str(place.root / "home")})
    lines = [line.split(None, 1)[1] for line in (place.root / "trace").read_text().splitlines()]
    begin, end = (next(at for at, line in enumerate(lines) if f'"/{word}"' in line) for word in ("begin", "end"))
    return done.stdout.strip(), lines[begin + 1 : end]


def test_a_decision_costs_few_system_calls(place: Place, needs: Callable[[str], str]) -> None:
    """With a choice on file: at most 9, and one more for each level of the working directory."""
    needs("strace")
    place.say("kitchen", "on")
    for folder, levels in ((Path("/"), 1), (place.root, len(place.root.parts))):
        mode, calls = strace(place, folder)
        levelled = [call for call in calls if ".otel-bridge" in call]
        assert mode == "on"
        assert len(levelled) == levels, calls
        assert len(calls) - len(levelled) <= 9, calls


@pytest.mark.parametrize("variable", consent.SURROUNDINGS.split()[::2])
def test_undecided_is_off_where_a_machine_runs_the_tool(place: Place, variable: str) -> None:
    """Every variable of the table is enough, after the notice too; nobody is asked there."""
    place.alone()
    place.say("notice", "opt_out")
    place.say(variable, "true")
    decision = decide("kitchen")
    assert (decision.mode, decision.source, decision.shown) == ("off", "default", None)
    assert "nobody has chosen, and this is" in decision.reason
    place.say(variable, "false")
    assert decide("kitchen").mode == "on"


def test_the_table_of_surroundings_is_whole() -> None:
    """25 CI services, ten agents, containers and test runners; what the registry may say of them is what the table can say."""
    kinds: dict[str, set[str]] = {}
    for what in consent.SURROUNDINGS.split()[1::2]:
        kind, _, name = what.partition(".")
        kinds.setdefault(kind, set()).add(name)
    assert len(kinds["ci"] - {"other"}) >= 25
    assert len(kinds["agent"] - {"other"}) >= 10
    assert len(kinds["container"]) >= 3 and len(kinds["test"]) >= 5
    compiled = read_compiled(Path(__file__).parents[2] / "examples/kitchen/kitchen/_telemetry.py")
    declared = {one[0]: set(one[3][0].split("\n")[1:-1]) for one in compiled.resource if one[2] == "enum"}
    assert declared["otel_bridge.ci"] == kinds["ci"]
    assert declared["otel_bridge.agent"] == kinds["agent"]


def test_status_of_the_installed_program_names_the_source(world: World) -> None:
    """For people: the mode with its reason, who spoke, and who did not."""
    world.on()
    told = world.run("otel-bridge", "status", "--product", "kitchen", DO_NOT_TRACK="1").stdout
    assert told.startswith("kitchen: off (DO_NOT_TRACK is set)\n")
    assert "asked            DO_NOT_TRACK: off; your choice for this product: on" in told
    assert "silent           the organisation's policy; OTEL_SDK_DISABLED;" in told


def test_the_organisation_decides_for_a_real_program(world: World) -> None:
    """A policy below /etc, seen by the installed program in a mount namespace of its own."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        assert not os.environ.get("CI"), "no mount namespace is to be had, and CI must show this"
        pytest.skip("no mount namespace: the organisation's policy was tested in this process only")
    world.on()
    script = "mount -t tmpfs none /etc/otel-bridge && printf 'products = other\\n' > /etc/otel-bridge/policy && exec \"$@\""
    made = not Path("/etc/otel-bridge").exists()
    Path("/etc/otel-bridge").mkdir(exist_ok=True)
    try:
        within = ("unshare", "--mount", "sh", "-c", script, "sh")
        told = world.json(*within, str(BIN / "otel-bridge"), "status", "--product", "kitchen", "--json")
    finally:
        if made:
            Path("/etc/otel-bridge").rmdir()
    assert (told["mode"], told["source"]) == ("off", "/etc/otel-bridge/policy")
    assert told["reason"] == "the organisation's policy does not list kitchen"
