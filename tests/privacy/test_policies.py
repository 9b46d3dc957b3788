"""What each policy keeps, and that none lets a free string through or raises, whatever it is given."""

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone, tzinfo
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_bridge import privacy
from otel_bridge.consent import identity
from otel_bridge.privacy import POLICIES as HOT
from otel_bridge.privacy import clean, frames
from otel_bridge.privacy.form import formed
from otel_bridge.schema.policies import POLICIES as TABLE
from otel_bridge.schema.registry import joined
from otel_bridge.testing import FakeClock

NAMES = {"plugins": "\ndocker\nvagrant\n"}
PARAMETERS = {
    "boolean": (),
    "bucket": ((1, 10, 100),),
    "count": (5,),
    "day": ("day",),
    "default_only": ("\nbento/debian\nbento/ubuntu\n", "__custom__", "target"),
    "drop": (),
    "enum": ("\nred\nblue\n", "__other__"),
    "frames": ("\n", 8),
    "identifier": ("period",),
    "pseudonym": ("quarter", "probe"),
    "registry": ("plugins", "__private__"),
    "version": (2, ""),
}
POLICIES = sorted(PARAMETERS)
TYPES = {"boolean": "boolean", "bucket": "int", "count": "int", "frames": "string[]"}


class Hostile:
    """A value whose every method raises."""

    def _no(self, *args: object) -> None:
        raise RuntimeError("touched")

    __eq__ = __hash__ = __str__ = __repr__ = __bool__ = __lt__ = __le__ = __len__ = __iter__ = __index__ = _no  # type: ignore[assignment]


class Zone(tzinfo):
    """A time zone of a stranger's class."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise RuntimeError("touched")


class Word(str):
    """A string of a stranger's class."""


def one(policy: str, value: object, told: tuple[str, ...] = (), kind: str = "") -> object:
    spec = ("k", kind or TYPES.get(policy, "string"), policy, PARAMETERS[policy], 0)
    kept, _ = clean((spec,), {"k": value}, NAMES, told)
    return kept[0][1] if kept else None


@pytest.mark.parametrize(
    ("policy", "value", "kept"),
    [
        ("drop", "x", None),
        ("drop", 1, None),
        ("boolean", True, True),
        ("boolean", False, False),
        ("boolean", 1, None),
        ("boolean", "true", None),
        ("enum", "red", "red"),
        ("enum", "Red", "__other__"),
        ("enum", Word("red"), "__other__"),
        ("enum", 7, "__other__"),
        ("enum", "red\nblue", "__other__"),
        ("enum", "", "__other__"),
        ("identifier", "2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a11", "2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a11"),
        ("identifier", "2f5ba7a2-66a5-8b6c-9d6b-1d1f6c3e9a1x", None),
        ("identifier", "my-private-project-of-thirty-six-let", None),
        ("identifier", 7, None),
        ("registry", "vagrant", "vagrant"),
        ("registry", "acme-internal-cloud", "__private__"),
        ("registry", "docker\nvagrant", "__private__"),
        ("registry", "", "__private__"),
        ("registry", "ocke", "__private__"),
        ("registry", None, None),
        ("default_only", "bento/debian", "bento/debian"),
        ("default_only", "acme/secret-box", "__custom__"),
        ("day", 1_700_000_000, "2023-11-14"),
        ("day", 1_700_000_000.5, "2023-11-14"),
        ("day", date(2026, 11, 22), "2026-11-22"),
        ("day", datetime(2026, 11, 22, 23, 30, tzinfo=timezone(-timedelta(hours=2))), "2026-11-23"),
        ("day", "2026-11-22", None),
        ("day", "2026-11-22 acme", None),
        ("day", "x" * 1_000_000, None),
        ("day", 1e300, None),
        ("day", math.nan, None),
        ("day", -1, None),
        ("day", date(9999, 1, 1), None),
        ("day", True, None),
        ("day", datetime(2026, 1, 1, tzinfo=Zone()), None),
        ("frames", "Traceback (most recent call last): acme", None),
        ("frames", ["json:loads:1"], None),
        ("frames", ValueError("acme"), None),
        ("pseudonym", "acme", None),
        ("version", "1.14.2", "1.14"),
        ("version", "1", "1"),
        ("version", "2.0rc1", "2.0"),
        ("version", "12-acme", "12"),
        ("version", "1.x.2", "1"),
        ("version", "172.23.233.20", None),
        ("version", "1.2.3.4", None),
        ("version", "119.0.6045.105", "119.0"),
        ("version", "1.2.3.4.5", None),
        ("version", "10.20.30.40:8080", None),
        ("version", "10.20.30.0/24", None),
        ("version", "192.168.12.7-db", None),
        ("version", "1.2.3.dev4", "1.2"),
        ("version", "166 Aspen Road", None),
        ("version", "1." + "x" * 40, None),
        ("version", "acme", None),
        ("version", "123456.1", None),
        ("version", "", None),
        ("version", 1.14, None),
        ("bucket", 0, 1),
        ("bucket", 1, 1),
        ("bucket", 2, 10),
        ("bucket", 99.5, 100),
        ("bucket", 1e300, 100),
        ("bucket", math.inf, 100),
        ("bucket", -math.inf, 1),
        ("bucket", math.nan, None),
        ("bucket", True, None),
        ("bucket", "5", None),
        ("count", 3, 3),
        ("count", 6, 5),
        ("count", 10**400, 5),
        ("count", -1, None),
        ("count", True, None),
        ("count", 2.0, None),
    ],
)
def test_what_is_kept(policy: str, value: object, kept: object) -> None:
    """A declared value, a placeholder, or nothing."""
    found = one(policy, value)
    assert found == kept
    assert type(found) is type(kept)


def test_a_default_that_the_person_typed_is_not_told() -> None:
    """`default_only` keeps a default only when neither the key nor the option was set by the person."""
    assert one("default_only", "bento/debian", told=("target",)) == "__custom__"
    assert one("default_only", "bento/debian", told=("k",)) == "__custom__"
    assert one("default_only", "bento/debian", told=("other",)) == "bento/debian"


def test_a_list_is_reduced_member_by_member() -> None:
    """Sorted, distinct, at most 16; a list that is none is absent."""
    assert one("enum", ["red", "x", "blue", "red", "y"], kind="string[]") == ["__other__", "blue", "red"]
    assert one("enum", ("blue",), kind="string[]") == ["blue"]
    assert one("enum", "red", kind="string[]") is None
    assert one("enum", {"red": 1}, kind="string[]") is None
    spec = ("k", "string[]", "version", (3, ""), 0)
    assert len(clean((spec,), {"k": [str(n) for n in range(99)]}, NAMES)[0][0][1]) == 16


def test_a_version_needs_its_name_to_be_public() -> None:
    """A version is told only when what it is the version of was told."""
    specs = (("n", "string", "registry", PARAMETERS["registry"], 0), ("v", "string", "version", (3, "n"), 0))
    assert clean(specs, {"n": "docker", "v": "1.2.3"}, NAMES) == ([("n", "docker"), ("v", "1.2.3")], 0)
    assert clean(specs, {"n": "acme", "v": "1.2.3"}, NAMES) == ([("n", "__private__")], 0)
    assert clean(specs, {"v": "1.2.3"}, NAMES) == ([], 0)


@pytest.mark.parametrize("kind", ["string", "string[]"])
def test_no_placeholder_of_any_name_lets_a_version_through(kind: str) -> None:
    """A placeholder of the author's own, and a list, are no public name."""
    specs = (("n", kind, "enum", ("\nred\n", "hidden"), 0), ("v", "string", "version", (3, "n"), 0))
    given = {"n": "acme" if kind == "string" else ["acme", "red"], "v": "9.8.7"}
    assert [key for key, _ in clean(specs, given, NAMES)[0]] == ["n"]
    assert formed(specs, {"n": "hidden", "v": "9.8.7"}, NAMES) == (
        {"n": "hidden"} if kind == "string" else {},
        1 if kind == "string" else 2,
    )


def test_what_has_expired_on_disk_does_not_leave() -> None:
    """The sender's check knows the expiry as well."""
    assert formed((("k", "boolean", "boolean", (), 1),), {"k": True}, NAMES) == ({}, 1)


def test_what_is_not_declared_is_counted_and_absent() -> None:
    """The record is built from its declaration: other keys are not looked at."""
    assert clean((("a", "boolean", "boolean", (), 0),), {"a": True, "secret": "x", 3: "y"}, NAMES) == ([("a", True)], 2)


def test_past_its_expiry_an_attribute_is_dropped() -> None:
    """An attribute that has expired is as absent as a dropped one."""
    assert clean((("a", "boolean", "boolean", (), 1),), {"a": True}, NAMES) == ([], 0)
    assert clean((("a", "boolean", "boolean", (), 1 << 40),), {"a": True}, NAMES) == ([("a", True)], 0)


def test_the_seventeenth_public_name_of_a_run_is_other() -> None:
    """A run tells at most 16 distinct names of an attribute: a long list of names is a fingerprint."""
    shipped = [f"n{number:02}" for number in range(20)]
    names = {"plugins": "\n".join(["", *shipped, ""])}
    spec = (("k", "string", "registry", ("plugins", "__private__"), 0),)
    seen: dict[str, set[str]] = {}
    told = [clean(spec, {"k": name}, names, (), seen)[0][0][1] for name in (*shipped, "n00", "acme")]
    assert told == [*shipped[:16], *["__other__"] * 4, "n00", "__private__"]


@pytest.mark.parametrize("kind", ["string", "string[]"])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_hostile_value_is_never_touched(policy: str, kind: str) -> None:
    """Objects whose every method raises are reduced without calling one."""
    for value in (Hostile(), [Hostile()], {"a": Hostile()}, object, lambda: 1, b"bytes", "x" * 1_000_000):
        found = one(policy, value, kind=kind if policy not in TYPES else "")
        assert found is None or found in ("__other__", "__private__", "__custom__") or type(found) is list


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=8,
)


@given(value=ANY, policy=st.sampled_from(POLICIES), as_list=st.booleans())
def test_only_declared_things_come_out_and_their_form_is_accepted(value: object, policy: str, as_list: bool) -> None:
    """Whatever goes in, a declared value, a number or a placeholder comes out; and the sender's check accepts just that."""
    kind = "string[]" if as_list and policy not in TYPES else TYPES.get(policy, "string")
    found = one(policy, value, kind=kind)
    spec = ("k", kind, policy, PARAMETERS[policy], 0)
    if found is not None:
        assert formed((spec,), {"k": found}, NAMES) == ({"k": found}, 0)
    allowed = {"red", "blue", "docker", "vagrant", "bento/debian", "bento/ubuntu", "__other__", "__private__", "__custom__"}
    for member in found if isinstance(found, list) else [found]:
        digits = isinstance(member, str) and member.replace(".", "").replace("-", "").isdigit() and len(member) <= 11
        assert member is None or type(member) in (bool, int) or member in allowed or digits


def test_every_policy_has_one_place() -> None:
    """Those that a run of kitchen uses stand together, the rest have a file each; `drop` needs none."""
    rare = {file.stem for file in (Path(privacy.__file__).parent).glob("*.py")} - {"__init__", "form", "names"}
    assert rare == {"day", "frames", "pseudonym"}
    assert sorted({*HOT, *rare, "drop"}) == sorted(TABLE) == POLICIES


def test_a_week_is_a_week() -> None:
    """`resolution: week` keeps the ISO week, whose year is not always that of the date."""
    spec = (("k", "string", "day", ("week",), 0),)
    assert clean(spec, {"k": date(2027, 1, 1)}, NAMES) == ([("k", "2026-W53")], 0)
    assert formed(spec, {"k": "2026-W53"}, NAMES) == ({"k": "2026-W53"}, 0)
    assert formed(spec, {"k": "2026-11-22"}, NAMES) == ({}, 1)


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = str(tmp_path / "otel-bridge/probe")
    identity.secret_of(folder)
    return folder


def test_a_pseudonym_is_the_same_for_a_while(secret: str) -> None:
    """16 digits, the same for the same name in a period and a product; other ones after it, or with another secret."""
    with FakeClock("2026-11-22T12:00:00Z") as clock:
        first = one("pseudonym", "acme")
        assert re.fullmatch("[0-9a-f]{16}", str(first))
        assert [one("pseudonym", "acme"), one("pseudonym", "acne") == first] == [first, False]
        clock.advance(60 * 86400)
        assert one("pseudonym", "acme") not in (None, first)
        clock.advance(-60 * 86400)
        identity.reset(secret)
        assert one("pseudonym", "acme") not in (None, first)
    assert one("pseudonym", ["acme", "acme", "beta"], kind="string[]") == sorted(
        {one("pseudonym", "acme"), one("pseudonym", "beta")}
    )


def test_a_pseudonym_is_what_anybody_with_the_key_would_compute(secret: str) -> None:
    """A keyed BLAKE2b (RFC 7693) of product, period and name."""
    with FakeClock("2026-11-22T12:00:00Z"):
        said = b"pseudonym\nprobe\n2026-Q4\nacme"
        assert one("pseudonym", "acme") == blake2b(said, key=identity.known_secret(secret), digest_size=8).hexdigest()


def stack(function: Callable[[], object], distributions: tuple[str, ...] = (), most: int = 16) -> list[str]:
    """What is told of the exception that a function raises."""
    spec = (("k", "string[]", "frames", (joined(distributions), most), 0),)
    try:
        function()
    except BaseException as raised:
        told = dict(clean(spec, {"k": raised}, NAMES)[0])["k"]
        assert formed(spec, {"k": told}, NAMES) == ({"k": told}, 0)
        return told  # type: ignore[return-value]
    raise AssertionError("nothing was raised")


def test_frames_of_the_standard_library_are_told() -> None:
    """Module, function and line of a live traceback; ours in between are private, however many."""
    told = stack(lambda: json.loads("acme {"))
    decoder = "json.decoder:JSONDecoder"
    assert [re.sub(r":\d+$", "", frame) for frame in told] == [
        "<private>",
        "json:loads",
        f"{decoder}.decode",
        f"{decoder}.raw_decode",
    ]
    assert int(told[-1].rpartition(":")[2]) > 300


def test_a_listed_distribution_is_told_and_no_other() -> None:
    """What a listed distribution has installed is public, what another has is not."""

    def usage() -> None:
        click.Command("x", params=[click.Option(["--n"], type=int)]).make_context("x", ["--n", "acme"])

    assert stack(usage) == ["<private>"]
    assert [frame.partition(":")[0] for frame in stack(usage, ("click",))][:2] == ["<private>", "click.core"]
    assert stack(usage, ("no-such-distribution", "")) == ["<private>"]


@pytest.mark.parametrize(
    "file", ["<frozen json>", json.__file__, json.decoder.__file__, "<string>", "/home/acme/json/__init__.py", "\0"]
)
def test_what_a_frame_says_of_itself_is_not_believed(file: str) -> None:
    """Code that only pretends to come from a public file has other globals than that file's module."""
    program = compile("1 / 0", "acme", "exec").replace(co_filename=file)
    assert stack(lambda: exec(program, {"__name__": "json"})) == ["<private>"]
    named = compile("def acme_secret():\n    1 / 0\nacme_secret()", "acme", "exec").replace(co_filename=file)
    try:
        assert "acme" not in str(stack(lambda: exec(named, vars(json))))
    finally:
        vars(json).pop("acme_secret", None)


def test_a_line_that_the_code_has_not_is_not_told() -> None:
    """A traceback can be made with any number in it."""
    try:
        json.loads("[")
    except ValueError as raised:
        found = raised.__traceback__
        while found.tb_frame.f_globals["__name__"] != "json":
            found = found.tb_next
        made = TracebackType(None, found.tb_frame, 0, 25955)
    spec = (("k", "string[]", "frames", ("\n", 8), 0),)
    assert clean(spec, {"k": made}, NAMES)[0] == [("k", ["<private>"])]


def test_a_file_that_was_changed_since_it_was_installed_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patched copy of a listed distribution has another size than its list of files says."""
    (tmp_path / "public_lib.py").write_text("def fail():\n    1 / 0\n")
    info = tmp_path / "public_lib-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: public-lib\nVersion: 1\n")
    size = (tmp_path / "public_lib.py").stat().st_size
    monkeypatch.syspath_prepend(str(tmp_path))
    for told, expected in ((size, ["<private>", "public_lib:fail:2"]), (size + 1, ["<private>"])):
        (info / "RECORD").write_text(f"public_lib.py,sha256=x,{told}\n")
        frames._installed.cache_clear()
        import public_lib

        assert stack(public_lib.fail, ("public-lib",)) == expected


def test_only_the_innermost_frames_are_told() -> None:
    """At most `max`, also of a recursion a thousand deep."""

    def deep(number: int) -> object:
        return json.loads("[") if number == 0 else deep(number - 1)

    assert [frame.partition(":")[0] for frame in stack(lambda: deep(900), most=3)] == ["json", "json.decoder", "json.decoder"]


@pytest.mark.parametrize(
    "frame",
    [
        "json:acme:1",
        "json:loads:99999",
        "acme:loads:1",
        "json:loads",
        "json:loads:x",
        "../../etc/passwd:x:1",
        "json:loads:1\n",
        "json:loads:-7",
    ],
)
def test_frames_that_nobody_could_have_seen_do_not_leave(frame: object) -> None:
    """A module that is not there, a function that it has not, a line after its last: private after the sender's check."""
    spec = (("k", "string[]", "frames", ("\n", 8), 0),)
    assert formed(spec, {"k": ["<private>", frame, "json:loads:1"]}, NAMES) == ({"k": ["<private>", "json:loads:1"]}, 0)
    assert formed(spec, {"k": ["json:loads:1"] * 9}, NAMES) == ({}, 1)
    for odd in ("json:loads:1", [7], {}, None):
        assert formed(spec, {"k": odd}, NAMES) == ({}, 1)


def test_a_hostile_exception_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an exception only its traceback is read, past whatever its class defines."""

    class BadError(Exception):
        __traceback__ = property(lambda self: 1 / 0)  # type: ignore[assignment]
        __class__ = property(lambda self: 1 / 0)  # type: ignore[assignment]
        __str__ = __repr__ = __eq__ = __hash__ = Hostile._no  # type: ignore[assignment]

    def fail() -> None:
        raise BadError("acme")

    assert stack(fail) == ["<private>"]
