"""What each policy keeps, and that none lets a free string through or raises, whatever it is given."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_bridge.privacy import POLICIES, clean
from otel_bridge.privacy.form import formed

NAMES = {"plugins": "\ndocker\nvagrant\n"}
PARAMETERS = {
    "boolean": (),
    "bucket": ((1, 10, 100),),
    "count": (5,),
    "default_only": ("\nbento/debian\nbento/ubuntu\n", "__custom__", "target"),
    "drop": (),
    "enum": ("\nred\nblue\n", "__other__"),
    "identifier": ("period",),
    "registry": ("plugins", "__private__"),
    "version": (2, ""),
}
TYPES = {"boolean": "boolean", "bucket": "int", "count": "int"}


class Hostile:
    """A value whose every method raises."""

    def _no(self, *args: object) -> None:
        raise RuntimeError("touched")

    __eq__ = __hash__ = __str__ = __repr__ = __bool__ = __lt__ = __le__ = __len__ = __iter__ = __index__ = _no  # type: ignore[assignment]


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
        ("registry", None, "__private__"),
        ("default_only", "bento/debian", "bento/debian"),
        ("default_only", "acme/secret-box", "__custom__"),
        ("version", "1.14.2", "1.14"),
        ("version", "1", "1"),
        ("version", "2.0rc1", "2.0"),
        ("version", "12-acme", "12"),
        ("version", "1.x.2", "1"),
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
@pytest.mark.parametrize("policy", sorted(POLICIES))
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


@given(value=ANY, policy=st.sampled_from(sorted(POLICIES)), as_list=st.booleans())
def test_only_declared_things_come_out_and_their_form_is_accepted(value: object, policy: str, as_list: bool) -> None:
    """Whatever goes in, a declared value, a number or a placeholder comes out; and the sender's check accepts just that."""
    kind = "string[]" if as_list and policy not in TYPES else TYPES.get(policy, "string")
    found = one(policy, value, kind=kind)
    spec = ("k", kind, policy, PARAMETERS[policy], 0)
    if found is not None:
        assert formed((spec,), {"k": found}, NAMES) == ({"k": found}, 0)
    allowed = {"red", "blue", "docker", "vagrant", "bento/debian", "bento/ubuntu", "__other__", "__private__", "__custom__"}
    for member in found if isinstance(found, list) else [found]:
        digits = isinstance(member, str) and member.replace(".", "").isdigit() and len(member) <= 11
        assert member is None or type(member) in (bool, int) or member in allowed or digits
