"""`otel-bridge run` runs a command as if it ran by itself, and records how it went."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import World, attributes
from other_tool import EMIT, ON, RUN, register_once

from otel_bridge.export import spool

MODES = {"on": ON, "log": {"OTHER_TOOL_TELEMETRY": "log"}, "off": {"OTHER_TOOL_TELEMETRY": "off"}, "undecided": {}}
PREFIX = " ".join(RUN)
NAMED = [one for one in signal.Signals if one not in (signal.SIGKILL, signal.SIGSTOP)]


@pytest.fixture
def tool(world: World) -> World:
    """A world in which the tool is registered."""
    register_once(world)
    return world


def span(world: World) -> spool.Item:
    """The one run that waits."""
    (found,) = (one for one in world.waiting("other-tool") if one.signal == "traces")
    return found


def shown(world: World, script: str, **more: str) -> list[object]:
    """Exit code and output of a script of the shell, in which @ is what stands before a command; errors without our name."""
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=world.work,
        env=world.environment(**more),
        input=b"from a pipe\n",
        capture_output=True,
        timeout=300,
    )
    return [done.returncode, done.stdout, re.sub(rb"(?m)^(sh: \d+|otel-bridge): ", b"", done.stderr)]


SCRIPTS = {
    "exit code": "@ sh -c 'echo out; echo err >&2; exit 3'",
    "highest exit code": "@ sh -c 'exit 255'",
    "standard input": "@ cat",
    "a pipe that closes": "@ yes | head -n 1",
    "a pipe that ends it": "@ sh -c 'echo $$ > pid; exec yes' | head -n 1",
    "descriptors": "@ ls -l /proc/self/fd 3<.. 7>seven | sed 's/.*[0-9] \\([0-9]* ->\\)/\\1/; s/pipe:.*//; s/proc.*//'",
    "no standard input": "@ ls /proc/self/fd <&-",
    "no stream at all": "@ sh -c 'ls /proc/self/fd > found' <&- >&- 2>&-; cat found",
    "signals": "@ grep Sig[BICP] /proc/self/status",
    "no SIGPIPE": "trap '' PIPE; @ grep Sig[BICP] /proc/self/status",
    "signals that are ignored": "trap '' HUP INT QUIT TERM USR1; @ grep Sig[BICP] /proc/self/status",
    "nohup": "nohup @ grep Sig[BICP] /proc/self/status",
    "no word of children": "env --ignore-signal=CHLD @ grep Sig[BICP] /proc/self/status",
    "children unheard of": "env --ignore-signal=CHLD @ python3 -c 'import signal; print(signal.getsignal(signal.SIGCHLD))'",
    "signals that are blocked": "env --block-signal=USR1,TERM,CHLD @ grep Sig[BICP] /proc/self/status",
    "in the background": "@ grep Sig[BICP] /proc/self/status & wait",
    "environment": "A='b c' B= @ env | grep -v ^OTEL_BRIDGE_RUN",
    "no locale": "unset LANG; @ env | grep -v ^OTEL_BRIDGE_RUN",
    "the C locale": "LANG=C LC_CTYPE=POSIX @ env | grep -v ^OTEL_BRIDGE_RUN",
    "a locale that is wanted": "LANG=C LC_CTYPE=C.UTF-8 @ env | grep -v ^OTEL_BRIDGE_RUN",
    "limits": "ulimit -n 77; umask 027; @ sh -c 'ulimit -a; umask; pwd; nice'",
    "words": "@ printf '<%s>' 'a b' '' -- --help -x '*' \"$(printf 'caf\\351')\"",
    "process group": '@ sh -c \'[ "$(cut -d" " -f5 /proc/$$/stat)" = "$(cut -d" " -f5 /proc/\'$$\'/stat)" ] && echo same\'',
    "a script without a first line": "printf 'echo $0 $1 $#' > script; chmod +x script; @ ./script 'a b' c",
    "found in PATH": "mkdir bin; printf '#!/bin/sh\necho mine' > bin/ls; chmod +x bin/ls; PATH=nowhere:$PWD/bin:$PATH; @ ls",
    "not executable in PATH": "mkdir bin; echo > bin/ls; PATH=$PWD/bin:$PATH; @ ls -d .",
    "found here": "printf '#!/bin/sh\necho mine' > here; chmod +x here; PATH=:$PATH; @ here",
    **{
        f"ended by {name}": f"@ sh -c 'kill -{name} $$'; echo $?"
        for name in ["TERM", "KILL", "SEGV", "ABRT", "INT", "HUP", "PIPE", "USR1", "QUIT", "ALRM"]
    },
    "ended by a signal without a name": "@ sh -c 'kill -40 $$'; echo $?",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_command_finds_everything_as_it_would_without_us(tool: World, name: str, mode: str) -> None:
    """Words, streams, descriptors, signals, environment, limits, and what the caller sees of its end: byte for byte."""
    script, found = SCRIPTS[name], []
    for place, prefix in (("bare", ""), ("ours", PREFIX)):
        (tool.work / place).mkdir()
        code, out, err = shown(tool, f"cd {place}; {script.replace('@', prefix)}", **MODES[mode])
        err = re.sub(rb'(?m)^\{"resource.*\n', b"", err) if mode == "log" else err
        found.append([code, out.replace(bytes(tool.work / "ours"), bytes(tool.work / "bare")), err])
    assert found[1] == found[0]
    assert len(tool.waiting("other-tool")) == (mode == "on")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        ("no-such-command", 127, "no-such-command: command not found"),
        ("./nothing", 127, "./nothing: No such file or directory"),
        ("", 127, ": command not found"),
        ("./plain", 126, "./plain: Permission denied"),
        ("/", 126, "/: Permission denied"),
        ("./plain/below", 127, "./plain/below: No such file or directory"),
        ("./lost", 127, "./lost: No such file or directory"),
        ("./loop", 126, "./loop: Too many levels of symbolic links"),
    ],
)
def test_what_cannot_be_executed_is_told_as_by_a_shell(tool: World, command: str, code: int, text: str, mode: str) -> None:
    """127 when it is not found, 126 when it is not executable, one line; a run all the same."""
    (tool.work / "plain").write_text("echo")
    (tool.work / "lost").write_text("#!/no/such/interpreter\n")
    (tool.work / "lost").chmod(0o755)
    (tool.work / "loop").symlink_to("loop")
    done = tool.run(*RUN, command, ok=False, **MODES[mode])
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (code, "", f"otel-bridge: {text}")
    if mode == "on":
        told = attributes(span(tool))
        assert (told["process.exit.code"], told["process.executable.name"], told["error.type"]) == (code, "__other__", "_OTHER")


@pytest.mark.parametrize("more", [{"DO_NOT_TRACK": "1"}, {}, {"OTHER_TOOL_TELEMETRY": "off"}])
def test_where_it_is_off_nothing_of_ours_is_left(tool: World, more: dict[str, str]) -> None:
    """The command has our very process: the same id, the same parent, the same program file as without us."""
    script = "echo $$ $PPID; readlink /proc/$$/exe"
    with subprocess.Popen(
        [*RUN, "sh", "-c", script], env=tool.environment(**more), cwd=tool.work, stdout=subprocess.PIPE
    ) as started:
        out = started.communicate()[0].decode()
    assert out == f"{started.pid} {os.getpid()}\n{Path('/bin/sh').resolve()}\n"
    assert not tool.state.exists()


def test_a_product_that_is_not_registered_runs_unharmed(world: World) -> None:
    """Silently, unless OTEL_BRIDGE_DEBUG=1 asks."""
    done = world.run(*RUN, "sh", "-c", "echo out; exit 4", ok=False, **ON)
    assert (done.returncode, done.stdout, done.stderr) == (4, "out\n", "")
    told = world.run(*RUN, "true", **ON, OTEL_BRIDGE_DEBUG="1").stderr
    assert told == "otel-bridge: LookupError: other-tool is not registered, so nothing is recorded\n"


def test_whatever_hinders_us_does_not_hinder_the_command(tool: World) -> None:
    """A state folder that is a file, no home, a spool that cannot be written, a choice that is rubbish."""
    words = (*RUN, "sh", "-c", "echo out; exit 4")
    tool.state.parent.mkdir(parents=True)
    tool.state.write_text("")
    for more in ({}, {"HOME": ""}, {"HOME": "/nowhere"}, {"XDG_DATA_HOME": "/dev/null"}):
        done = tool.run(*words, ok=False, **{**ON, **more})
        assert (done.returncode, done.stdout, done.stderr) == (4, "out\n", "")
    tool.state.unlink()
    (tool.state / "other-tool").mkdir(parents=True)
    (tool.state / "other-tool/spool").write_text("")
    for name in ("identity", "told.json", "choice", "drain"):
        (tool.state / "other-tool" / name).write_bytes(b"\xff\xfe rubbish")
    done = tool.run(*words, ok=False)
    assert (done.returncode, done.stdout, done.stderr) == (4, "out\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sh", "build"], ("sh", "build")),
        (["sh", "build", "--fast", "remote", "add"], ("sh", "build")),
        (["sh", "remote", "add", "https://example.org"], ("sh", "remote add")),
        (["sh", "remote", "rm"], ("sh", "remote")),
        (["sh", "remote add"], ("sh", "__other__")),
        (["sh", "my-secret"], ("sh", "__other__")),
        (["sh", "-c", "build"], ("sh", None)),
        (["sh", "--", "build"], ("sh", None)),
        (["./tool"], ("tool", None)),
        (["my-secret-tool", "build"], ("__other__", "build")),
        (["./caf\udce9"], ("__other__", None)),
    ],
)
def test_of_the_words_only_declared_ones_are_told(tool: World, words: list[str], told: tuple[str, str | None]) -> None:
    """The file name of the program, and the longest declared path among the words before the first option."""
    for name in ("tool", "caf\udce9"):
        (tool.work / name).symlink_to("/bin/true")
    tool.run(*RUN, *words, ok=None, **ON)
    found = attributes(span(tool))
    assert (found["process.executable.name"], found.get("otel_bridge.command")) == told
    assert set(found) <= {
        *("error.type", "otel_bridge.command", "otel_bridge.sequence", "process.executable.name", "process.exit.code", "session.id")
    }


@pytest.mark.parametrize(
    ("script", "code", "kind"),
    [
        ("exit 0", 0, None),
        ("exit 3", 3, "_OTHER"),
        ("exit 143", 143, "_OTHER"),
        ("kill -TERM $$", 143, "SIGTERM"),
        ("kill -KILL $$", 137, "SIGKILL"),
        ("kill -SEGV $$", 139, "SIGSEGV"),
        ("kill -ABRT $$", 134, "SIGABRT"),
        ("kill -40 $$", 168, "_OTHER"),
    ],
)
def test_how_it_ended_is_recorded(tool: World, script: str, code: int, kind: str | None) -> None:
    """The exit code as the shell says it, and the name of the signal."""
    tool.run(*RUN, "sh", "-c", script, ok=None, **ON)
    one = span(tool)
    told = attributes(one)
    assert (told["process.exit.code"], told.get("error.type"), one.body["status"]) == (code, kind, {"code": 2} if code else {})


def test_a_core_is_dumped_once(tool: World) -> None:
    """Following a child into death leaves no second core file, where the first one has gone into a file."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or pattern.startswith("|"):
        pytest.skip(f"cores go elsewhere here: {pattern}")
    found = []
    for place, prefix in (("bare", ""), ("ours", PREFIX)):
        (tool.work / place / "below").mkdir(parents=True)
        shown(tool, f"cd {place}; ulimit -c unlimited; {prefix} sh -c 'cd below; kill -ABRT $$'", **ON)
        found.append([core.parent.name for core in (tool.work / place).rglob("core*")])
    assert found == [["below"], ["below"]]


TELLING = """
import os, signal, sys
heard = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
os.write(1, b"ready\\n")
number = 0
while number != int(sys.argv[1]):
    number = signal.sigwait(heard)
    os.write(1, signal.Signals(number).name.encode() + b"\\n")
sys.exit(7)
"""


@pytest.mark.parametrize("number", [one for one in NAMED if one not in (signal.SIGCONT, signal.SIGCHLD)], ids=lambda one: one.name)
def test_a_signal_sent_to_us_alone_reaches_the_command_once(tool: World, number: signal.Signals) -> None:
    """It takes it as its own, and its exit code is ours."""
    words = [*RUN, sys.executable, "-c", TELLING, str(signal.SIGUSR1 if number != signal.SIGUSR1 else signal.SIGUSR2)]
    with subprocess.Popen(words, env=tool.environment(**ON), cwd=tool.work, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        started.send_signal(number)
        assert started.stdout.readline() == number.name.encode() + b"\n"
        started.send_signal(int(words[-1]))
        assert started.stdout.read() == signal.Signals(int(words[-1])).name.encode() + b"\n"
        assert started.wait() == 7
    assert attributes(span(tool))["process.exit.code"] == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_a_signal_that_ends_the_command_ends_us(tool: World, number: signal.Signals) -> None:
    """Sent to us, it is what both die of, and what is told."""
    words = [*RUN, "sh", "-c", "echo ready; exec sleep 300"]
    with subprocess.Popen(words, env=tool.environment(**ON), cwd=tool.work, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        started.send_signal(number)
        assert started.wait() == -number
    assert attributes(span(tool))["error.type"] == number.name


def test_a_burst_of_signals_loses_none(tool: World) -> None:
    """A hundred real-time signals, which queue, arrive as a hundred."""
    program = (
        "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [40, 41])\nos.write(1, b'ready\\n')\ncount = 0\n"
        "while signal.sigwaitinfo([40, 41]).si_signo == 40: count += 1\n"
        "os.write(1, b'%d\\n' % count)\n"
    )
    with subprocess.Popen(
        [*RUN, sys.executable, "-c", program], env=tool.environment(**ON), cwd=tool.work, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        for _ in range(100):
            os.kill(started.pid, 40)
        os.kill(started.pid, 41)
        assert started.stdout.read() == b"100\n"


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU], ids=lambda one: one.name)
def test_a_command_that_is_stopped_stops_us_and_goes_on_with_us(tool: World, number: signal.Signals) -> None:
    """By the same signal; continuing us alone continues it, too."""
    script = f"kill -{number} $$; echo back; kill -{number} $$; echo back again; exit 5"
    words = [*RUN, "sh", "-c", script]
    guard = subprocess.Popen(["sleep", "600"], process_group=0)  # so that the group is no orphan: those are never stopped
    try:
        with subprocess.Popen(
            words, env=tool.environment(**ON), cwd=tool.work, stdout=subprocess.PIPE, process_group=guard.pid
        ) as started:
            assert started.stdout is not None
            for line in (b"back\n", b"back again\n"):
                assert stopped_by(started.pid) == number
                os.kill(started.pid, signal.SIGCONT)
                assert started.stdout.readline() == line
            assert started.wait() == 5
    finally:
        guard.kill()
        guard.wait()


def stopped_by(process: int) -> int:
    """The signal that has stopped a child of ours."""
    found, status = os.waitpid(process, os.WUNTRACED)
    assert (found, os.WIFSTOPPED(status)) == (process, True)
    return os.WSTOPSIG(status)


def test_a_stop_that_is_sent_to_us_stops_the_command(tool: World) -> None:
    """SIGTSTP to us alone: passed on, the command stops, and so do we."""
    words = [*RUN, "sh", "-c", "echo ready; read line; echo got $line"]
    guard = subprocess.Popen(["sleep", "600"], process_group=0)
    try:
        with subprocess.Popen(
            words,
            env=tool.environment(**ON),
            cwd=tool.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=guard.pid,
        ) as started:
            assert started.stdout is not None
            started.stdout.readline()
            os.kill(started.pid, signal.SIGTSTP)
            assert stopped_by(started.pid) == signal.SIGTSTP
            os.kill(started.pid, signal.SIGCONT)
            assert started.communicate(b"hello\n") == (b"got hello\n", None)
            assert started.returncode == 0
    finally:
        guard.kill()
        guard.wait()


def test_the_status_of_a_child_is_known_where_nobody_hears_of_children(tool: World) -> None:
    """With SIGCHLD ignored, which would lose it, the exit code and the span are there."""
    code = shown(tool, f"env --ignore-signal=CHLD {PREFIX} sh -c 'exit 9'", **ON)[0]
    assert (code, attributes(span(tool))["process.exit.code"]) == (9, 9)


@pytest.mark.parametrize("fails", ["fork", "waitpid"])
def test_a_machine_without_room_for_a_child_runs_the_command(tool: World, fails: str) -> None:
    """Where no child can be had it takes our place, unrecorded; where one cannot be followed we wait for it."""
    code = (
        f"import os, sys\nfirst, real = [1], os.{fails}\ndef fail(*given):\n    if first:\n        first.pop()\n"
        f"        raise BlockingIOError(11, 'no room')\n    return real(*given)\nos.{fails} = fail\n"
        "from otel_bridge.shell import main\nmain()\n"
    )
    done = tool.run(sys.executable, "-c", code, *RUN[1:], "sh", "-c", "echo out; exit 4", ok=False, **ON)
    assert (done.returncode, done.stdout, done.stderr) == (4, "out\n", "")
    assert len(tool.waiting("other-tool")) == (fails == "waitpid")


def test_a_run_within_a_run_belongs_to_its_trace(tool: World) -> None:
    """The inner span has the outer one above it."""
    tool.run(*RUN, "sh", "-c", f"{PREFIX} sh -c '{' '.join(EMIT)} tool.built'", **ON)
    spans = {one.body["spanId"]: one.body for one in tool.waiting("other-tool") if one.signal == "traces"}
    (event,) = (one.body for one in tool.waiting("other-tool") if one.signal == "logs")
    inner = spans[event["spanId"]]
    outer = spans[inner["parentSpanId"]]
    assert (len(spans), inner["traceId"], event["traceId"]) == (2, outer["traceId"], outer["traceId"])
    assert "parentSpanId" not in outer


def test_wrong_usage_is_clicks(tool: World) -> None:
    """Exit code 2, and no command runs."""
    for words in (
        [],
        ["--product", "other-tool"],
        ["--", "touch", "x"],
        ["--product", "Other", "--", "touch", "x"],
        ["--produkt", "x"],
    ):
        done = tool.run("otel-bridge", "run", *words, ok=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("Usage: otel-bridge run [OPTIONS]")
    assert list(tool.work.iterdir()) == []


def test_other_spellings_mean_the_same(tool: World) -> None:
    """`--product=P`, and no `--` before a command that is no option."""
    for words in (["--product=other-tool", "--"], ["--product", "other-tool"]):
        done = tool.run("otel-bridge", "run", *words, "printf", "%s,", "a", "--", "-x", "--help")
        assert done.stdout == "a,--,-x,--help,"


class Person:
    """Somebody at a shell of their own, on a pseudo-terminal that controls it."""

    def __init__(self, world: World, *words: str, **more: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 400, 0, 0))
        environment = world.environment(PS1="$ ", PS2="> ", TERM="dumb", **more)
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        control = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # noqa: E731
        self.process = subprocess.Popen(
            words, cwd=world.work, env=environment, start_new_session=True, preexec_fn=control, **streams
        )
        os.close(slave)
        self.text, self.seen = "", 0

    def see(self, text: str, timeout: float = 120) -> "Person":
        """Read until a text has come, after what was seen before."""
        until = time.monotonic() + timeout
        while self.text.find(text, self.seen) < 0:
            assert time.monotonic() < until, self.text
            if select.select([self.master], [], [], 0.2)[0]:
                self.text += os.read(self.master, 65536).decode()
        self.seen = self.text.find(text, self.seen) + len(text)
        return self

    def type(self, text: str) -> "Person":
        """Type a line, or with a control character what a terminal makes a signal of."""
        os.write(self.master, text.encode())
        return self

    def end(self) -> str:
        """Everything that was on the terminal; the shell is left."""
        try:
            while True:
                read = os.read(self.master, 65536)
                if not read:
                    break
                self.text += read.decode()
        except OSError:
            pass
        self.process.wait(timeout=60)
        os.close(self.master)
        return self.text.replace("\r\n", "\n")


SHELLS = {"bash": ("bash", "--norc", "--noprofile", "--noediting", "-i"), "sh": ("sh", "-i")}


@pytest.fixture
def person(tool: World, needs: Callable[[str], str]) -> Iterator[Callable[..., Person]]:
    """Starts somebody at a shell, in which @ before a command is nothing, or us."""
    started = []

    def start(*words: str, **more: str) -> Person:
        if words[0] != "otel-bridge":
            needs(words[0])
        started.append(Person(tool, *words, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("shell", SHELLS)
def test_job_control_is_that_of_the_bare_command(tool: World, person: Callable[..., Person], shell: str, mode: str) -> None:
    """Ctrl-Z, `jobs`, `fg`, `bg`, `kill`, Ctrl-C and Ctrl-\\ in an interactive shell: the same terminal, byte for byte."""
    (tool.work / "ask").write_text("#!/bin/sh\necho ready\nread line\necho got $line\nread line\necho got $line\nexit 3\n")
    (tool.work / "wait").write_text("#!/bin/sh\necho ready\nexec sleep 300\n")
    (tool.work / "catch").write_text(
        "#!/usr/bin/env python3\nimport os, signal\nmask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "os.write(1, b'ready\\n')\n"
        "for number in (1, 2):\n    signal.sigwait([signal.SIGINT])\n    os.write(1, b'caught %d\\n' % number)\n"
        "input()\nprint('more of them:', signal.sigpending())\n"
    )
    for name in ("ask", "wait", "catch"):
        (tool.work / name).chmod(0o755)
    found = []
    for prefix in ("", PREFIX + " "):
        one = person(*SHELLS[shell], **MODES[mode]).see("$ ")
        one.type(f"{prefix}./ask\n").see("ready").type("\x1a").see("$ ")
        one.type("jobs\n").see("$ ")
        one.type("fg\n").see("ask\r\n").type("hello\n").see("got hello").type("\x1a").see("$ ")
        one.type("fg %1\n").see("ask\r\n").type("you\n").see("got you").see("$ ")
        one.type("echo $?\n").see("$ ")
        one.type(f"{prefix}./wait\n").see("ready").type("\x03").see("$ ")
        one.type("echo $?\n").see("$ ")
        one.type(f"{prefix}./wait\n").see("ready").type("\x1c").see("$ ")
        one.type("echo $?\n").see("$ ")
        one.type(f"{prefix}./catch\n").see("ready").type("\x03").see("caught 1").type("\x03").see("caught 2").type("\n").see("$ ")
        one.type(f"{prefix}./wait\n").see("ready").type("\x1a").see("$ ")
        one.type("kill %1; fg\n").see("$ ")
        one.type("echo $?\n").see("$ ")
        one.type("exit 0\n")
        text = one.end().replace(PREFIX + " ", "")
        found.append(re.sub(r"(?m) +$| {2,}", " ", text))
    assert found[1] == found[0]
    assert found[0].count("got hello") == found[0].count("got you") == 1
    assert found[0].count("caught") == 2
    told = [(attributes(one)["process.exit.code"], attributes(one).get("error.type")) for one in tool.waiting("other-tool")]
    assert told == ([(3, "_OTHER"), (130, "SIGINT"), (131, "SIGQUIT"), (0, None), (143, "SIGTERM")] if mode == "on" else [])


def test_a_shell_as_the_command_has_job_control_of_its_own(tool: World, person: Callable[..., Person]) -> None:
    """A shell in a shell: its own jobs stop and go on, and after `suspend` and `fg` it has the terminal again."""
    (tool.work / "inner").write_text(f"#!/bin/sh\nPS1='in: ' exec {' '.join(SHELLS['bash'])}\n")
    (tool.work / "ask").write_text("#!/bin/sh\necho ready\nread line\necho got $line\nexec sleep 300\n")
    for name in ("inner", "ask"):
        (tool.work / name).chmod(0o755)
    found = []
    for prefix in ("", PREFIX + " "):
        one = person(*SHELLS["bash"], **ON).see("$ ")
        one.type(f"{prefix}./inner\n").see("in: ")
        one.type("./ask\n").see("ready").type("\x1a").see("in: ")
        one.type("fg\n").see("ask\r\n").type("hello\n").see("got hello").type("\x03").see("in: ")
        one.type("suspend\n").see("$ ").type("jobs\n").see("$ ")
        one.type("fg\n").see("in: ").type("echo again\n").see("in: ")
        one.type("exit 5\n").see("$ ").type("echo $?\n").see("$ ").type("exit 0\n")
        found.append(re.sub(r" {2,}", " ", one.end().replace(PREFIX + " ", "")))
    assert found[1] == found[0]
    assert "\nagain\nin: exit 5\n" in found[0]


def test_a_command_in_the_background_that_reads_the_terminal_waits_for_it(tool: World, person: Callable[..., Person]) -> None:
    """It stops as the shell expects it, `fg` gives it the terminal, and it reads."""
    (tool.work / "ask").write_text("#!/bin/sh\nread line\necho got $line\n")
    (tool.work / "ask").chmod(0o755)
    found = []
    for prefix in ("", PREFIX + " "):
        one = person(*SHELLS["bash"], **ON).see("$ ")
        one.type(f"{prefix}./ask & until jobs | grep -q Stopped; do sleep 0.1; done\n").see("$ ")
        one.type("fg\n").see("ask\r\n").type("hello\n").see("got hello").see("$ ")
        one.type("exit 0\n")
        text = re.sub(r"\[1\] \d+", "[1]", one.end().replace(PREFIX + " ", ""))
        found.append(re.sub(r" {2,}", " ", text))
    assert found[1] == found[0]


def test_a_terminal_that_goes_away_ends_the_command(tool: World, person: Callable[..., Person]) -> None:
    """As the first process of a terminal, which alone is told: the command hears of it, and both end by it."""
    one = person(*RUN, "sh", "-c", "trap 'echo hung up > heard; exit 6' HUP; echo ready; while :; do sleep 0.1; done", **ON).see(
        "ready"
    )
    os.close(one.master)
    assert one.process.wait(timeout=60) == 6
    assert (tool.work / "heard").read_text() == "hung up\n"
    assert attributes(span(tool))["process.exit.code"] == 6


def test_the_invitation_comes_after_the_command(tool: World, person: Callable[..., Person]) -> None:
    """Nobody has chosen: it runs unrecorded, then the notice is shown on a terminal, once; the exit code stays."""
    told = person(*RUN, "sh", "-c", "echo out; exit 3")
    text = told.end()
    assert told.process.returncode == 3
    assert text.startswith("out\n\nother-tool collects usage data.\n")
    assert "turn it on:    otel-bridge on --product other-tool" in text
    again = person(*RUN, "sh", "-c", "echo out; exit 3")
    assert (again.end(), again.process.returncode) == ("out\n", 3)
    assert tool.waiting("other-tool") == []
