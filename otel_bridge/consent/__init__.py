"""MAY WE: decide whether events of a product may be recorded here and now, by which rule, and since when."""

import os

from ..paths import choice_for_all, environ, read_flat, state_dir

ON, LOCAL, OFF = "on", "local", "off"
_MODES = {"on": ON, "1": ON, "true": ON, "yes": ON, "local": LOCAL, "off": OFF, "0": OFF, "false": OFF, "no": OFF}
_UNSET = (b"", b"0", b"false", b"no", b"off")

# Machines set these variables, people do not: undecided is off there. Sources: each vendor's list of default variables.
CI = {
    b"GITHUB_ACTIONS": "github",
    b"GITLAB_CI": "gitlab",
    b"JENKINS_URL": "jenkins",
    b"TF_BUILD": "azure",
    b"BITBUCKET_BUILD_NUMBER": "bitbucket",
    b"BUILDKITE": "buildkite",
    b"CIRCLECI": "circleci",
    b"TRAVIS": "travis",
    b"TEAMCITY_VERSION": "teamcity",
    b"APPVEYOR": "appveyor",
    b"CODEBUILD_BUILD_ID": "codebuild",
    b"DRONE": "drone",
    b"CI": "other",
}


class Decision:
    """One answer: mode `on|local|off`, the reason in words, the variable or file that decided, since when (RFC 3339)."""

    __slots__ = ("mode", "reason", "since", "source")

    def __init__(self, mode: str, reason: str, source: str, since: str = "") -> None:
        self.mode = mode
        self.reason = reason
        self.source = source
        self.since = since


def decide(product: str) -> Decision:
    """Ask every source in order: the first `off` decides, else the first `local`, else the first `on`, else undecided.

    Never raises: a source that cannot be read, understood or trusted counts as `off`.
    """
    answer = None
    for source in SOURCES:
        said = source(product)
        if said is None:
            continue
        if said.mode == OFF:
            return said
        since = max(said.since, answer.since) if answer else said.since
        if answer is None or (said.mode == LOCAL and answer.mode == ON):
            answer = said
        answer.since = since  # it takes all of them to say yes, so it holds from the last of them on
    return answer or _undecided()


def running_in(table: "dict[bytes, str]") -> str:
    """Which service of a table of variables runs this process, or an empty string."""
    for variable in table:
        if variable in environ and environ[variable].lower() not in _UNSET:
            return table[variable]
    return ""


def variable_of(product: str) -> str:
    """The environment variable that speaks for a product: `KITCHEN_TELEMETRY`."""
    return product.upper().replace("-", "_").replace(".", "_") + "_TELEMETRY"


def _do_not_track(product: str) -> "Decision | None":
    if environ.get(b"DO_NOT_TRACK", b"").lower() not in _UNSET:
        return Decision(OFF, "DO_NOT_TRACK is set", "DO_NOT_TRACK")
    return None


def _sdk_disabled(product: str) -> "Decision | None":
    if environ.get(b"OTEL_SDK_DISABLED", b"").lower() == b"true":
        return Decision(OFF, "OTEL_SDK_DISABLED is true", "OTEL_SDK_DISABLED")
    return None


def _opted_out(product: str) -> "Decision | None":
    variable = variable_of(product) + "_OPTOUT"
    if environ.get(variable.encode(), b"").lower() not in _UNSET:
        return Decision(OFF, f"{variable} is set", variable)
    return None


def _variable(product: str) -> "Decision | None":
    variable = variable_of(product)
    word = os.fsdecode(environ.get(variable.encode(), b"")).lower()
    if not word:
        return None
    if word not in _MODES:
        return Decision(OFF, f"{variable} is neither on, local nor off", variable)
    return Decision(_MODES[word], f"{variable} is {word}", variable)


def _choice_for_all(product: str) -> "Decision | None":
    return _choice(choice_for_all, "your choice for all products")


def _choice_for_product(product: str) -> "Decision | None":
    return _choice(lambda: state_dir(product) + "/choice", f"your choice for {product}")


def _choice(where: "Callable[[], str]", whose: str) -> "Decision | None":
    path = ""
    try:
        path = where()
        pairs = read_flat(path, (os.geteuid(), 0))
    except Exception as problem:
        return Decision(OFF, f"{whose} cannot be read: {problem}", path)
    if pairs is None:
        return None
    if pairs.get("telemetry") not in _MODES:
        return Decision(OFF, f"{whose} cannot be understood", path)
    return Decision(_MODES[pairs["telemetry"]], whose, path, pairs.get("since", ""))


def _undecided() -> Decision:
    if running_in(CI):
        return Decision(OFF, "nobody has chosen, and this is continuous integration", "default")
    return Decision(OFF, "nobody has chosen yet", "default")


SOURCES = (_do_not_track, _sdk_disabled, _opted_out, _variable, _choice_for_all, _choice_for_product)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
