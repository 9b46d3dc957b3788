"""Do what programs of any language ask for, `run` and `emit`: ask for consent first, and load next to nothing where it is off."""

import _signal as signal  # type: ignore[import-not-found]  # `signal` wraps it in enums, for 1.5 M instructions
import errno
import os

import otel_bridge

from .consent import OFF, PASSED_ON, decide, wants_log
from .paths import environ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .consent import Decision

_HIDDEN = ("SIGPIPE", "SIGXFSZ")  # the interpreter ignores them from its start, whatever they were
_SHELLS = ("ash", "bash", "busybox", "dash", "fish", "ksh", "ksh93", "mksh", "sh", "systemd", "zsh")


def emit(product: str, event: str, pairs: "list[tuple[str, str]]") -> int:
    """Record one event of a product; returns the exit code: 0, also where it is off, or 1 for a mistake, which is told."""
    decision = decide(product)
    if decision.mode == OFF and not wants_log(product):
        return 0
    from .instrument.emit import emit

    return emit(product, event, pairs, decision)


def run(product: str, words: "list[str]") -> int:
    """Run a command as a child and record it, or become it where nothing is to be recorded.

    Returns the exit code; a command that dies by a signal takes this process with it by the same signal.
    """
    try:
        begun = _begin(product)
    except Exception as problem:
        otel_bridge._swallow(problem)
        begun = None
    if begun is None:
        return become(words)
    from .instrument.child import run

    ignored = _ignored_above()
    return run(*begun, words, lambda words: become(words, ignored))


def _begin(product: str) -> "tuple[ModuleType, Decision] | None":
    """The declaration and the decision, where a run is to be recorded or a notice is due after it."""
    decision = decide(product)
    recorded = decision.mode != OFF or wants_log(product)
    asked = not recorded and decision.shown is not None and all(map(os.isatty, (0, 1, 2)))
    if not recorded and decision.shown is None and decision.source not in PASSED_ON and hasattr(os, "putenv"):
        os.putenv("OTEL_BRIDGE_RUN", "off")  # whatever the command starts is off, too
    if not (recorded or asked or "deletion:waits" in decision.refused):
        return None
    from .registered import of_product

    declared = of_product(product)
    if declared is None:
        raise LookupError(f"{product} is not registered, so nothing is recorded")
    if recorded or (asked and decision.shown != declared.DIGEST):
        return declared, decision
    if "deletion:waits" in decision.refused:
        from .instrument.deletion import remind

        remind(declared)
    return None


def become(words: "list[str]", ignored: "int | None" = None) -> int:
    """Let a command take the place of this process, with everything as it would have found it without us.

    `ignored` are signals to leave ignored, as bits, where this process is a fork. Comes back only where that cannot be: with 127
    or 126, as a shell does, after one line on standard error.
    """
    if not hasattr(os, "geteuid"):  # Windows has no exec that the caller would wait for
        import subprocess

        return subprocess.call(words)
    _restore(_ignored_above() if ignored is None else ignored)
    name, reason, code = os.fsencode(words[0]), b"", 127
    folders = environ.get(b"PATH", os.defpath.encode()).split(b":")
    for path in [name] if b"/" in name else [folder + b"/" + name if folder else name for folder in folders if name]:
        try:
            _execute(path, words)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            reason, code = os.strerror(problem.errno or 0).encode(), 126
            if problem.errno != errno.EACCES:
                break
    reason = reason or (b"No such file or directory" if b"/" in name else b"command not found")
    os.write(2, b"otel-bridge: " + name + b": " + reason + b"\n")
    return code


def _execute(path: bytes, words: "list[str]") -> None:
    """Execute a file; one without a magic number is a script of the shell, as for `execvp`. Raises OSError."""
    try:
        os.execv(path, words)
    except OSError as problem:
        if problem.errno != errno.ENOEXEC:
            raise
        os.execv("/bin/sh", ["/bin/sh", os.fsdecode(path), *words[1:]])


def _restore(ignored: int) -> None:
    """Undo what the interpreter has changed for whatever is executed: two ignored signals, and a locale (PEP 538)."""
    for name in _HIDDEN:
        number = getattr(signal, name, 0)
        if number and not ignored >> (number - 1) & 1:
            signal.signal(number, signal.SIG_DFL)
    if environ.get(b"LC_CTYPE") in (b"C.UTF-8", b"C.utf8", b"UTF-8") and not environ.get(b"LC_ALL"):
        try:
            with open("/proc/self/environ", "rb") as file:
                found = [one for one in file.read().split(b"\0") if one.startswith(b"LC_CTYPE=")]
        except OSError:  # no Linux: where nothing else names a locale, it was the interpreter
            found = [] if environ.get(b"LANG", b"C") in (b"", b"C", b"POSIX") else [b"LC_CTYPE=" + environ[b"LC_CTYPE"]]
        if found:
            os.putenv(b"LC_CTYPE", found[-1].partition(b"=")[2])
        else:
            os.unsetenv(b"LC_CTYPE")


def _ignored_above() -> int:
    """The signals that the parent ignores, as bits, where it is a shell or systemd: those hand them on, others only seldom.

    It is the one trace that is left of what SIGPIPE was (`trap '' PIPE`, a systemd service). Python, Node and Rust ignore it
    for themselves and start children with the default.
    """
    try:
        with open(f"/proc/{os.getppid()}/status", "rb") as file:
            lines = dict(line.split(b":", 1) for line in file.read().split(b"\n") if b":" in line)
        return int(lines[b"SigIgn"], 16) if lines[b"Name"].strip().decode("ascii", "replace") in _SHELLS else 0
    except (OSError, KeyError, ValueError):
        return 0
