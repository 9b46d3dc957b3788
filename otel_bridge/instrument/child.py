"""Run a command of any language as a child, as if it stood in our place, and turn its run into one span.

The child is in our process group and on our terminal, so what the terminal sends to the group reaches it without us, and what
is sent to us alone is passed on. All signals are blocked here and taken one by one: none is lost, none interrupts.
"""

import _signal as signal  # type: ignore[import-not-found]  # `signal` wraps it in enums, for 1.5 M instructions
import os

import otel_bridge

from ..clock import elapsed, now
from ..consent import OFF, decide, wants_log
from ..privacy import among
from ..registered import of_another_process
from . import begin, finish, unbegun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ..consent import Decision
    from ..record import Run

    Become = Callable[[list[str]], int]

_OF_THE_GROUP = ("SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGHUP", "SIGWINCH", "SIGINFO")  # sent by a terminal
_UNHEARD = ("SIGCHLD", "SIGWINCH", "SIGURG", "SIGIO", "SIGINFO")  # not kept for `sigwait` where the default is to ignore them
_MOST = 16  # words of a command's path


def run(declared: "ModuleType", decision: "Decision", words: "list[str]", become: "Become") -> int:
    """Run a command and record how it went, or show the notice after it; returns its exit code.

    A signal that ends the command ends this process. `become` executes the command in the process that calls it, and returns an
    exit code where that fails.
    """
    recorded = decision.mode != OFF or wants_log(declared.PRODUCT)
    try:
        recording, tell = begin(declared, decision) if recorded else (None, int)
    except Exception as problem:
        unbegun(declared.PRODUCT, decision.mode, problem)
        return become(words)
    started, clock = now(), elapsed()
    status = _waited(words, become)
    duration = elapsed() - clock
    try:
        if recording is not None:
            recording.resource = of_another_process(recording.resource)
            _note(recording, words)
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            code = 128 + number & 0xFF if number else os.WEXITSTATUS(status)
            finish(recording, started, duration, code, _name(number) if number else None)
            tell()
        elif decide(declared.PRODUCT).shown is not None:  # else this very command was the choice
            from ..consent.notice import show

            show(declared)
    except Exception as problem:
        otel_bridge._swallow(problem)
    return _end(status)


def _note(recording: "Run", words: "list[str]") -> None:
    """What a command line tells by its declaration: the file that was run, and as many leading words as name a command."""
    name = os.path.basename(words[0])
    recording.parsed["process.executable.name"] = name if name.isprintable() else ""
    leading: list[str] = []
    for word in words[1 : _MOST + 1]:
        if word[:1] == "-":
            break
        leading.append(word.replace(" ", "\n"))  # two words in one are no path
    values = [spec[3][0] for spec in recording.declared.SPAN or () if spec[0] == "otel_bridge.command"]
    if not leading or values in ([], ["\n"]):  # nothing was said, or nothing is declared
        return
    while leading and not among(values[0], " ".join(leading)):
        leading.pop()
    recording.parsed["otel_bridge.command"] = " ".join(leading)


def _waited(words: "list[str]", become: "Become") -> int:
    """Run a command as a child until it ends; returns its status as `waitpid` has it."""
    every = signal.valid_signals()
    mask, chld = signal.pthread_sigmask(signal.SIG_BLOCK, every), signal.getsignal(signal.SIGCHLD)
    child = 0
    try:
        if not hasattr(signal, "sigwaitinfo"):
            for number in (getattr(signal, name, 0) for name in _UNHEARD):
                if number and signal.getsignal(number) == signal.SIG_DFL:
                    signal.signal(number, _unheard)  # a child is executed with the default again
        elif chld == signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # or its status would be lost
        child = os.fork()
        if child:
            return _followed(child, every)
    except Exception as problem:  # and now the simple way
        otel_bridge._swallow(problem)
        if child:
            return os.waitpid(child, 0)[1]
    code = 126
    try:  # in the child, or here where no child can be had
        signal.signal(signal.SIGCHLD, chld)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = become(words)
    finally:
        os._exit(code)


def _unheard(number: int, frame: object) -> None:
    """Never called, for all signals are blocked."""


def _followed(child: int, every: "set[int]") -> int:
    """Pass on what is sent to us alone, stop when the child is stopped, and return its status once it has ended."""
    stopped = False
    while True:
        _pass_on(child, every)
        while True:
            found, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if found == 0:
                break
            if not (os.WIFSTOPPED(status) or os.WIFCONTINUED(status)):
                return status
            stopped = os.WIFSTOPPED(status)
            if stopped:
                _stop(child, os.WSTOPSIG(status))
        if stopped:  # we were continued, the child was not
            stopped = False
            os.kill(child, signal.SIGCONT)


def _pass_on(child: int, every: "set[int]") -> None:
    """Wait for one signal, and send it to the child unless the child has it already, or it is about the child."""
    group = [getattr(signal, name, 0) for name in _OF_THE_GROUP]
    if hasattr(signal, "sigwaitinfo"):
        told = signal.sigwaitinfo(every)
        number = told.si_signo
        sent = (told.si_code <= 0 or told.si_pid) and told.si_pid != os.getpid()
    else:  # macOS does not say who sent it
        number = signal.sigwait(every)
        sent = os.getpgrp() not in map(_holder, (0, 1, 2))
    alone = number == signal.SIGHUP and os.getsid(0) == os.getpid()  # a terminal that goes away tells its leader, not the group
    if number in (signal.SIGCHLD, signal.SIGCONT) or (number in group and not (sent or alone)):
        return
    try:
        os.kill(child, number)
    except OSError:  # it has another owner now, as `sudo` has
        pass


def _holder(fd: int) -> int:
    """The process group that has the terminal behind a descriptor, and gets its signals; 0 where there is none."""
    try:
        return os.tcgetpgrp(fd)
    except OSError:
        return 0


def _stop(child: int, number: int) -> None:
    """Stop as the child was stopped, so that the shell takes the terminal back; returns when somebody lets us go on."""
    terminal = next((fd for fd in (0, 1, 2) if _holder(fd)), 0)
    held = _holder(terminal)
    before = None
    if number != signal.SIGSTOP:
        before = signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))  # here we are stopped
    signal.pthread_sigmask(signal.SIG_BLOCK, (number,))
    if before is not None:
        signal.signal(number, before)
    if held and held == os.getpgid(child) != os.getpgrp() == _holder(terminal):
        os.tcsetpgrp(terminal, held)  # an interactive shell has a group of its own, of which the shell above does not know


def _end(status: int) -> int:
    """The exit code of a child; one that a signal ended is followed, without another core file."""
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    try:
        from resource import RLIMIT_CORE, getrlimit, setrlimit

        hard = getrlimit(RLIMIT_CORE)[1]
        setrlimit(RLIMIT_CORE, (0 if hard == 0 else 1, hard))  # 1 byte: too little for a file, and a sign for a pipe (core(5))
    except (ImportError, OSError, ValueError):
        pass
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))
    return 128 + number  # the first process of a container survives it


def _name(number: int) -> str:
    """The name of a signal; empty for one that has none."""
    named = {getattr(signal, name): name for name in sorted(dir(signal), reverse=True) if name[:3] == "SIG" and name[3:].isalnum()}
    return named.get(number, "")
