"""MAY WE: decide whether events of a product may be recorded here and now, by which rule, and since when."""

import os

from ..paths import choice_for_all, environ, read_flat, state_dir

ON, LOCAL, OFF, UNDECIDED = "on", "local", "off", ""
ORGANISATION = "/etc/otel-bridge/policy"
IDLE = 600  # seconds after which a session is over
_MODES = {"on": ON, "1": ON, "true": ON, "yes": ON, "local": LOCAL, "off": OFF, "0": OFF, "false": OFF, "no": OFF}
PASSED_ON = ("DO_NOT_TRACK", "OTEL_SDK_DISABLED", "OTEL_BRIDGE_RUN")  # sources that speak to a child themselves
_UNSET = (b"", b"0", b"false", b"no", b"off")

# Machines set these variables, people do not: undecided is off there. Each with its kind and name; of two of a kind the first
# counts, so generic ones stand last. One string, for a run that has a choice on file only carries it. Sources: the vendors'
# lists of default variables.
SURROUNDINGS = """
    GITHUB_ACTIONS ci.github  GITLAB_CI ci.gitlab  JENKINS_URL ci.jenkins  HUDSON_URL ci.jenkins
    TF_BUILD ci.azure  BITBUCKET_BUILD_NUMBER ci.bitbucket  BUILDKITE ci.buildkite  CIRCLECI ci.circleci
    TRAVIS ci.travis  TEAMCITY_VERSION ci.teamcity  APPVEYOR ci.appveyor  CODEBUILD_BUILD_ID ci.codebuild
    DRONE ci.drone  CIRRUS_CI ci.cirrus  SEMAPHORE ci.semaphore  BITRISE_IO ci.bitrise
    BUDDY_WORKSPACE_ID ci.buddy  bamboo_planKey ci.bamboo  GO_PIPELINE_LABEL ci.gocd  CF_BUILD_ID ci.codefresh
    CM_BUILD_ID ci.codemagic  HARNESS_BUILD_ID ci.harness  NETLIFY ci.netlify  VERCEL ci.vercel
    CF_PAGES ci.cloudflare  WORKERS_CI ci.cloudflare  PROW_JOB_ID ci.prow  SCREWDRIVER ci.screwdriver
    VELA ci.vela  EAS_BUILD ci.expo  AC_APPCIRCLE ci.appcircle  APPCENTER_BUILD_ID ci.appcenter
    GITEA_ACTIONS ci.gitea  CI_XCODE_PROJECT ci.xcode  EARTHLY_CI ci.earthly  AGOLA_GIT_REF ci.agola
    CI_SYSTEM_NAME ci.woodpecker  RENDER ci.render  CONTINUOUS_INTEGRATION ci.other  BUILD_NUMBER ci.other
    CI ci.other
    CLAUDECODE agent.claude  CURSOR_AGENT agent.cursor  GEMINI_CLI agent.gemini  CODEX_SANDBOX agent.codex
    CODEX_THREAD_ID agent.codex  OPENCODE agent.opencode  AUGMENT_AGENT agent.augment
    ANTIGRAVITY_AGENT agent.antigravity  CLINE_ACTIVE agent.cline  ROO_ACTIVE agent.roo
    GOOSE_TERMINAL agent.goose  QWEN_CODE agent.qwen  PI_CODING_AGENT agent.pi  AI_AGENT agent.other
    AGENT agent.other
    KUBERNETES_SERVICE_HOST container.kubernetes  CODESPACES container.codespaces
    GITPOD_WORKSPACE_ID container.gitpod  REPL_ID container.replit  REMOTE_CONTAINERS container.devcontainer
    container container.other
    PYTEST_CURRENT_TEST test.pytest  TOX_ENV_NAME test.tox  NOX_CURRENT_SESSION test.nox
    BATS_TEST_FILENAME test.bats  JEST_WORKER_ID test.jest  VITEST test.vitest  NEXTEST test.nextest
    BAZEL_TEST test.bazel  CTEST_INTERACTIVE_DEBUG_MODE test.ctest
"""
_KINDS = {"ci": "continuous integration", "agent": "an AI agent", "container": "a container", "test": "a test runner"}


class Decision:
    """One answer: mode `on|local|off`, the reason in words, the variable or file that decided, since when (RFC 3339).

    `refused` are the categories and events that the person wants left out, as `category:NAME` and `event:NAME`; `shown` is None
    when somebody chose, else the digest of the declaration that the notice explained, empty before there was one.
    """

    __slots__ = ("mode", "reason", "refused", "shown", "since", "source")

    def __init__(self, mode, reason, source, since="", refused="", shown=None):
        # type: (str, str, str, str, str, str | None) -> None
        self.mode = mode
        self.reason = reason
        self.source = source
        self.since = since
        self.refused = refused
        self.shown = shown


def decide(product):
    # type: (str) -> Decision
    """Ask every source in order: the first `off` decides, else the first `local`, else the first `on`, else undecided.

    Never raises: a source that cannot be read, understood or trusted counts as `off`.
    """
    answer, refused = None, ""
    for source in SOURCES:
        said = source(product)
        if said is None:
            continue
        if said.mode == OFF:
            return said
        refused = f"{refused} {said.refused}" if refused else said.refused
        if said.mode == UNDECIDED:
            continue
        since = max(said.since, answer.since) if answer else said.since
        if answer is None or (said.mode == LOCAL and answer.mode == ON):
            answer = said
        answer.since = since  # it takes all of them to say yes, so it holds from the last of them on
    answer = answer or undecided(product)
    answer.refused = refused
    return answer


def surroundings():
    # type: () -> dict[str, str]
    """What runs this process, by kind (`ci`, `agent`, `container`, `test`), from the environment alone; usually nothing."""
    found: dict[str, str] = {}
    words = SURROUNDINGS.encode().split()
    if not environ.keys().isdisjoint(words):
        for variable, what in zip(words[::2], words[1::2], strict=True):
            if environ.get(variable, b"").lower() not in _UNSET:
                kind, _, name = what.decode().partition(".")
                found.setdefault(kind, name)
    return found


def variable_of(product):
    # type: (str) -> str
    """The environment variable that speaks for a product: `KITCHEN_TELEMETRY`."""
    return product.upper().replace("-", "_").replace(".", "_") + "_TELEMETRY"


def wants_log(product):
    # type: (str) -> bool
    """Whether the person wants to see this run's payload on standard error, where nothing is recorded."""
    return environ.get(variable_of(product).encode(), b"").lower() == b"log"


def organisation(product):
    # type: (str) -> Decision | None
    """the organisation's policy"""
    try:
        pairs = read_flat(ORGANISATION, "root")
    except Exception as problem:
        return Decision(OFF, f"the organisation's policy cannot be trusted: {problem}", ORGANISATION)
    if pairs is None:
        return None
    word, products = pairs.get("telemetry", ""), pairs.get("products")
    if word not in ("", OFF, LOCAL) or (word == "" and products is None):
        return Decision(OFF, "the organisation's policy cannot be understood", ORGANISATION)
    if word == OFF:
        return Decision(OFF, "the organisation's policy is off", ORGANISATION)
    if products is not None and product not in products.replace(",", " ").split():
        return Decision(OFF, f"the organisation's policy does not list {product}", ORGANISATION)
    return Decision(LOCAL, "the organisation's policy is local", ORGANISATION) if word else None


def do_not_track(product):
    # type: (str) -> Decision | None
    """DO_NOT_TRACK"""
    if environ.get(b"DO_NOT_TRACK", b"").lower() not in _UNSET:
        return Decision(OFF, "DO_NOT_TRACK is set", "DO_NOT_TRACK")
    return None


def sdk_disabled(product):
    # type: (str) -> Decision | None
    """OTEL_SDK_DISABLED"""
    if environ.get(b"OTEL_SDK_DISABLED", b"").lower() == b"true":
        return Decision(OFF, "OTEL_SDK_DISABLED is true", "OTEL_SDK_DISABLED")
    return None


def inherited(product):
    # type: (str) -> Decision | None
    """the program that started this one"""
    if environ.get(b"OTEL_BRIDGE_RUN") == b"off":
        return Decision(OFF, "the program that started this one is off", "OTEL_BRIDGE_RUN")
    return None


def opted_out(product):
    # type: (str) -> Decision | None
    """the product's variable _TELEMETRY_OPTOUT"""
    variable = variable_of(product) + "_OPTOUT"
    if environ.get(variable.encode(), b"").lower() not in _UNSET:
        return Decision(OFF, f"{variable} is set", variable)
    return None


def variable(product):
    # type: (str) -> Decision | None
    """the product's variable _TELEMETRY"""
    name = variable_of(product)
    word = os.fsdecode(environ.get(name.encode(), b"")).lower()
    if not word:
        return None
    if word == "log":
        return Decision(OFF, f"{name} is log: this run is shown on standard error and not recorded", name)
    if word not in _MODES:
        return Decision(OFF, f"{name} is neither on, local, off nor log", name)
    return Decision(_MODES[word], f"{name} is {word}", name)


def project(product):
    # type: (str) -> Decision | None
    """.otel-bridge/off in the working directory or above"""
    path = ".otel-bridge/off"
    try:
        folder = os.getcwd().rstrip("/")
        while True:
            path = folder + "/.otel-bridge"
            if os.access(path, os.F_OK) and "off" in os.listdir(path):
                return Decision(OFF, "this project is off", path + "/off")
            if not folder:
                return None
            folder = folder[: folder.rindex("/")]
    except OSError as problem:
        return Decision(OFF, f"whether this project is off cannot be read: {problem.strerror}", path)


def choice_for_everything(product):
    # type: (str) -> Decision | None
    """your choice for all products"""
    return _choice("", "your choice for all products")


def choice_for_product(product):
    # type: (str) -> Decision | None
    """your choice for this product"""
    return _choice(product, f"your choice for {product}")


def _choice(product, whose):
    # type: (str, str) -> Decision | None
    path = ""
    try:
        path = state_dir(product) + "/choice" if product else choice_for_all()
        pairs = read_flat(path, "person")
    except Exception as problem:
        return Decision(OFF, f"{whose} cannot be read: {problem}", path)
    if pairs is None:
        return None
    word, refused = pairs.get("telemetry", ""), pairs.get("refused", "")
    if word not in _MODES and (word or not refused):
        return Decision(OFF, f"{whose} cannot be understood", path)
    return Decision(_MODES.get(word, UNDECIDED), whose, path, pairs.get("since", ""), refused)


def undecided(product):
    # type: (str) -> Decision
    """Nobody chose: off where a machine runs the tool and before the notice was shown, then what the product declares."""
    for kind, name in surroundings().items():
        return Decision(OFF, f"nobody has chosen, and this is {_KINDS[kind]} ({name})", "default")
    try:
        path = state_dir(product) + "/notice"
        pairs = read_flat(path, "person")
    except Exception as problem:
        return Decision(OFF, f"nobody has chosen, and the notice cannot be read: {problem}", "default")
    if pairs is None:
        return Decision(OFF, "nobody has chosen yet", "default", shown="")
    since, shown = pairs.get("shown", ""), pairs.get("declaration", "")
    if pairs.get("default") != "opt_out" or not since:
        return Decision(OFF, f"nobody has chosen since the invitation of {since}", "default", shown=shown)
    return Decision(ON, f"nobody has chosen since the notice of {since}", path, since, shown=shown)


SOURCES = (
    *(organisation, do_not_track, sdk_disabled, inherited, opted_out, variable),
    *(project, choice_for_everything, choice_for_product),
)
