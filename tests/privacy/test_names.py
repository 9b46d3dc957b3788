"""Digests of public names."""

from pathlib import Path

from conftest import ROOT

from otel_bridge.privacy import clean
from otel_bridge.privacy.names import HEADER, SIZE, holds, write
from otel_bridge.schema import read_names


def test_a_digest_holds_its_names_and_no_other(tmp_path: Path) -> None:
    """All of 2,000 names are found, none of 2,000 others."""
    file = tmp_path / "names.digest"
    file.write_bytes(write([f"public-{number}" for number in range(2000)]))
    assert file.stat().st_size == HEADER + 2000 * SIZE
    assert all(holds(str(file), f"public-{number}") for number in range(2000))
    assert not any(holds(str(file), f"private-{number}") for number in range(2000))


def test_a_missing_or_foreign_digest_makes_every_name_private(tmp_path: Path) -> None:
    """No file, an empty one, one cut short, one of another kind: nothing is public."""
    good = write(["vagrant"])
    for name, content in {"empty": b"", "cut": good[:-1], "other": b"something else " * 8, "header": good[:HEADER]}.items():
        file = tmp_path / name
        file.write_bytes(content)
        assert not holds(str(file), "vagrant")
    assert not holds(str(tmp_path / "missing"), "vagrant")
    assert not holds(str(tmp_path), "vagrant")


def test_the_policy_looks_a_name_up_in_a_digest(tmp_path: Path) -> None:
    """A registry with more names than are compiled in works the same."""
    file = tmp_path / "plugins.digest"
    file.write_bytes(write(["vagrant"]))
    spec = (("k", "string", "registry", ("plugins", "__private__"), 0),)
    told = [clean(spec, {"k": name}, {"plugins": str(file)})[0][0][1] for name in ("vagrant", "acme", "\ud800")]
    assert told == ["vagrant", "__private__", "__private__"]


def test_the_example_ships_a_digest_of_its_public_names() -> None:
    """kitchen's digest holds at least 300 names, those of plugins.txt."""
    names = read_names(ROOT / "examples/kitchen/plugins.txt")
    digest = ROOT / "examples/kitchen/kitchen/plugins.digest"
    assert len(names) >= 300
    assert (digest.stat().st_size - HEADER) // SIZE == len(names)
    assert all(holds(str(digest), name) for name in names)
    assert not holds(str(digest), "acme-internal-cloud")
