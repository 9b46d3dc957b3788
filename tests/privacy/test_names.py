"""Digests of public names: exactly their names are public, in one spelling, and whatever is wrong makes names private."""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from conftest import BIN, ROOT, World
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_bridge.privacy import clean, names
from otel_bridge.privacy.names import HEADER, KINDS, LONGEST, SIZE, build, digest, fingerprint, normalise, public
from otel_bridge.schema import read_names

NUMBER = count()
ANY = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
LIKE_NAMES = st.text("aAbB-_./ K\u0130\u03a3\ud800", max_size=6)
PYTHON = str(BIN / "python")


@pytest.fixture(autouse=True)
def _nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_OPENED", {})


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def placed(folder: Path, content: bytes, mark: str = "") -> str:
    """The place of a digest that is written into a file of its own."""
    file = folder / f"{next(NUMBER)} of mine.digest"  # with blanks, as a person's home may have
    file.write_bytes(content)
    return f"{file} {mark or fingerprint(content)}"


@given(st.lists(ANY | LIKE_NAMES, max_size=30), st.lists(ANY | LIKE_NAMES, max_size=30), st.sampled_from(KINDS))
@settings(deadline=None)
def test_exactly_the_names_of_a_digest_are_public(folder: Path, listed: list[str], others: list[str], kind: str) -> None:
    """Whatever the names and the kind, a name is told when its spelling is listed, in this spelling, and no other is."""
    place = placed(folder, build(listed, kind))
    spellings = {normalise(name, kind) for name in listed} - {""}
    for name in (*listed, *others):
        spelling = normalise(name, kind)
        assert public(place, name) == (spelling if spelling in spellings else None)


@given(ANY | LIKE_NAMES, st.sampled_from(KINDS))
@settings(deadline=None)
def test_a_normalised_name_stays_as_it_is(name: str, kind: str) -> None:
    """Normalising twice is normalising once, so the sender finds what the recorder wrote."""
    once = normalise(name, kind)
    assert normalise(once, kind) == once == once.strip()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pypi", "acme-x-tools/y"),
        ("npm", "acme-_.x.tools/y"),
        ("gem", "Acme-_.X.Tools/Y"),
        ("forge", "acme-_.x.tools-y"),
        ("plain", "Acme-_.X.Tools/Y"),
    ],
)
def test_what_leaves_is_the_public_spelling_and_never_the_given_one(folder: Path, kind: str, expected: str) -> None:
    """A name that is equal but for its spelling comes out normalised: a spelling could carry a secret."""
    assert public(placed(folder, build([expected], kind)), " Acme-_.X.Tools/Y\n") == expected


def test_case_tells_two_gems_apart(folder: Path) -> None:
    """Of `RedCloth` and `redcloth` the one that is listed is public."""
    place = placed(folder, build(["RedCloth"], "gem"))
    assert [public(place, name) for name in ("RedCloth", "redcloth")] == ["RedCloth", None]


def test_a_digest_of_many_names_holds_them_and_no_other(folder: Path) -> None:
    """Of 20,000 names all are found, of 20,000 others none, and the file is 64 bytes and 8 for each name."""
    listed = [f"public-{number}" for number in range(20_000)]
    content = build(listed, "pypi")
    place = placed(folder, content)
    assert len(content) == HEADER + 20_000 * SIZE
    assert content[:HEADER] == f"otel-bridge names 2 pypi 20000 {fingerprint(content)}".ljust(HEADER - 1).encode() + b"\n"
    assert [public(place, name) for name in listed] == listed
    assert {public(place, f"private-{number}") for number in range(20_000)} == {None}


def test_the_order_and_repetition_of_names_change_nothing() -> None:
    """20,000 names shuffled, repeated and in other spellings make the same bytes; the kind makes others."""
    listed = [f"public-{number}" for number in range(20_000)]
    twice = [*listed, *(name.upper().replace("-", "._") for name in listed)]
    random.Random(7).shuffle(twice)
    content = build(listed, "pypi")
    assert build(iter(twice), "pypi") == content
    assert fingerprint(build(listed, "npm")) != fingerprint(content)


LAST = 2**64 - 1
RUNS = st.tuples(st.integers(0, LAST), st.integers(1, 2**50), st.integers(1, 300))  # where it begins, the step, how many


@given(st.lists(RUNS, max_size=5), st.sampled_from([(), (0,), (LAST,), (0, 1, LAST)]))
@settings(deadline=None)
def test_digests_that_are_not_spread_evenly_are_found_all_the_same(runs: list[tuple[int, int, int]], more: tuple[int, ...]) -> None:
    """For any sorted digests, those are found that are there: neither one beside them nor one that begins inside another."""
    values = {*more, *(min(first + step * number, LAST) for first, step, many in runs for number in range(many))}
    body = b"".join(value.to_bytes(SIZE, "big") for value in sorted(values))
    straddling = {int.from_bytes(body[at : at + SIZE], "big") for at in range(4, len(body) - SIZE, SIZE)}
    beside = {min(max(value + by, 0), LAST) for value in values for by in (-1, 1)}
    for value in values | straddling | beside:
        assert names._holds(b"\n" * HEADER + body, len(values), value.to_bytes(SIZE, "big")) is (value in values)


def test_a_look_up_reads_next_to_nothing(folder: Path) -> None:
    """Of 100,000 names a digest is told by reading 1 KB twice in 99 of 100 cases, however large the file is."""

    class Counting:
        def __init__(self, held: bytes) -> None:
            self.held, self.reads, self.bytes = held, 0, 0

        def __getitem__(self, where: slice) -> bytes:
            found = self.held[where]
            self.reads, self.bytes = self.reads + 1, self.bytes + len(found)
            return found

    content = build((f"public-{number}" for number in range(100_000)), "plain")
    looks = []
    for name in [f"{what}-{number}" for number in range(1000) for what in ("public", "private")]:
        held = Counting(content)
        assert names._holds(held, 100_000, digest(name)) is name.startswith("public")
        looks.append((held.reads, held.bytes))
    looks.sort()
    assert looks[1980] <= (2, 8 + 128 * SIZE)
    assert looks[-1] <= (2 + 17, 8 + 128 * SIZE + 17 * SIZE)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux says what of a mapping is in memory")
def test_opening_reads_the_header_alone(folder: Path) -> None:
    """After a digest is opened none of its pages is in memory, and it is opened once."""
    place = placed(folder, build((f"public-{number}" for number in range(5000)), "plain"))
    opened = names._open(place)
    mapping = Path("/proc/self/smaps").read_text().partition(place.rpartition(" ")[0])[2]
    assert next(line.split() for line in mapping.splitlines() if line.startswith("Rss")) == ["Rss:", "0", "kB"]
    assert public(place, "public-7") == "public-7"
    assert names._OPENED[place] is opened


GOOD = build(["vagrant", "docker"], "plain")
MARK = fingerprint(GOOD)
V1 = b"otel-bridge names 1 plain".ljust(31) + b"\n" + digest("vagrant")


def headed(line: str, body: bytes = GOOD[HEADER:]) -> bytes:
    return line.encode().ljust(HEADER - 1) + b"\n" + body


@pytest.mark.parametrize(
    "content",
    {
        "empty": b"",
        "version 1": V1,
        "version 1, as long as one of version 2": V1 + bytes(HEADER + 16 - len(V1)),
        "version 3": headed(f"otel-bridge names 3 plain 2 {MARK}"),
        "another kind": headed(f"otel-bridge names 2 cargo 2 {MARK}"),
        "one more counted": headed(f"otel-bridge names 2 plain 3 {MARK}"),
        "one fewer counted": headed(f"otel-bridge names 2 plain 1 {MARK}"),
        "counted in other digits": headed(f"otel-bridge names 2 plain \u0662 {MARK}"),
        "counted with a zero": headed(f"otel-bridge names 2 plain 02 {MARK}"),
        "counted below none": headed(f"otel-bridge names 2 plain -2 {MARK}"),
        "no count": headed(f"otel-bridge names 2 plain {MARK}"),
        "no fingerprint": headed("otel-bridge names 2 plain 2"),
        "a word more": headed(f"otel-bridge names 2 plain 2 {MARK} x"),
        "a stale fingerprint": headed("otel-bridge names 2 plain 2 0123456789abcdef"),
        "the header alone": GOOD[:HEADER],
        "half a header": GOOD[: HEADER // 2],
        "cut short": GOOD[:-1],
        "a digest short": GOOD[:-SIZE],
        "a byte long": GOOD + b"\n",
        "no end of line": GOOD[: HEADER - 1] + b" " + GOOD[HEADER:],
        "foreign": b"something else " * 8,
        "not ASCII": b"\xff" * (HEADER + 16),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_foreign_stale_or_damaged_digest_makes_every_name_private(folder: Path, content: tuple[str, bytes]) -> None:
    """What is not exactly the digest meant holds no name, and nothing is raised."""
    place = placed(folder, content[1], MARK)
    assert [public(place, name) for name in ("vagrant", "docker", "")] == [None, None, None]
    stale = content[0] == "a stale fingerprint"
    with pytest.raises(ValueError, match="damaged digest" if stale else "not a digest"):
        fingerprint(content[1])


def loop(place: Path) -> None:
    place.symlink_to(place)


@pytest.mark.parametrize(
    "make", [lambda place: None, Path.mkdir, os.mkfifo, loop], ids=["missing", "directory", "named pipe", "link to itself"]
)
def test_what_cannot_be_read_makes_every_name_private(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Nothing there, a folder, a named pipe, a link to itself: nothing is public, nothing waits, nothing is raised."""
    make(tmp_path / "names.digest")
    assert public(f"{tmp_path}/names.digest {MARK}", "vagrant") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_digest_that_may_not_be_read_makes_every_name_private(world: World) -> None:
    """Somebody else's digest of mode 600 holds no name, and nothing is raised."""
    place = placed(world.work, GOOD)
    Path(place.rpartition(" ")[0]).chmod(0o600)
    code = f"import os; from otel_bridge.privacy.names import public; os.seteuid(65534); print(public({place!r}, 'vagrant'))"
    assert world.run(PYTHON, "-c", code).stdout == "None\n"


@pytest.mark.parametrize(
    "place", ["", " ", "vagrant", f" {MARK}", f"\0 {MARK}", f"{'x' * 10_000} {MARK}", f"\ud800 {MARK}", "/dev/zero 0"]
)
def test_a_place_that_is_none_makes_every_name_private(place: str) -> None:
    """A place without a path, without a fingerprint, or with what no path has: nothing is raised."""
    assert public(place, "vagrant") is None


def test_a_place_with_another_fingerprint_is_stale(folder: Path) -> None:
    """A digest that was replaced after the registry was compiled holds no name for it, whole as it is."""
    path = placed(folder, GOOD).rpartition(" ")[0]
    assert public(f"{path} {fingerprint(build(['vagrant'], 'plain'))}", "vagrant") is None
    assert public(f"{path} {MARK.upper()} ", "vagrant") is None
    assert public(f"{path} {MARK}", "vagrant") == "vagrant"


def test_a_digest_that_is_replaced_while_it_is_open_keeps_its_names(folder: Path) -> None:
    """An upgrade puts another file in its place; a run that has begun goes on with the one it opened."""
    place = placed(folder, GOOD)
    path = Path(place.rpartition(" ")[0])
    assert public(place, "vagrant") == "vagrant"
    path.unlink()
    path.write_bytes(build(["podman"], "plain"))
    assert [public(place, name) for name in ("vagrant", "docker", "podman")] == ["vagrant", "docker", None]


def test_a_long_name_is_private_unseen(folder: Path) -> None:
    """256 characters are looked up; one more, or a megabyte of anything, is private and is not built either."""
    place = placed(folder, build(["x" * LONGEST, "y" * (LONGEST + 1), "  z  "], "pypi"))
    assert public(place, "x" * LONGEST) == "x" * LONGEST
    for name in ("y" * (LONGEST + 1), "-" * 1_000_000, "\ud800" * 1_000_000, " " * 1_000_000 + "z"):
        assert public(place, name) is None


def test_a_digest_without_names_is_one(folder: Path) -> None:
    """No names, or empty ones, make a header alone, in which nothing is public."""
    content = build(["", "  "], "npm")
    assert content == build([], "npm") and len(content) == HEADER
    assert public(placed(folder, content), "") is None


def test_another_kind_is_refused_where_digests_are_built() -> None:
    """An author is told which kinds there are."""
    with pytest.raises(ValueError, match="'cargo' is not a kind of names; write one of pypi, npm, gem, forge, plain"):
        build(["vagrant"], "cargo")


def test_the_policy_tells_the_public_spelling_of_a_name_in_a_digest(folder: Path) -> None:
    """A registry with more names than are compiled in works the same, and the given spelling is gone."""
    place = placed(folder, build(["vagrant_libvirt"], "pypi"))
    spec = (("k", "string", "registry", ("plugins", "__private__"), 0),)
    told = [clean(spec, {"k": name}, {"plugins": place})[0][0][1] for name in ("Vagrant.Libvirt", "acme", "\ud800", "")]
    assert told == ["vagrant-libvirt", "__private__", "__private__", "__private__"]


def test_looking_up_loads_no_module_but_two_small_ones(world: World) -> None:
    """A run that looks a name up loads this file, mmap and blake2b."""
    code = (
        "import sys; import otel_bridge.privacy; had = {*sys.modules}; import otel_bridge.privacy.names as n; n.public('a b', 'c')"
    )
    done = world.run(PYTHON, "-c", code + "; print(*sorted({*sys.modules} - had))")
    assert done.stdout.split() == ["_blake2", "mmap", "otel_bridge.privacy.names"]


def test_building_takes_little_memory(world: World) -> None:
    """300,000 names are built with at most 40 bytes each at the peak, where a set of their digests takes more than 100."""
    code = "import resource, sys; from otel_bridge.privacy.names import build\n"
    code += "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)\n"
    code += (
        "build(['x'], 'pypi'); had = peak(); build((f'public-{number}' for number in range(300_000)), 'pypi'); print(peak() - had)"
    )
    assert int(world.run(PYTHON, "-c", code).stdout) <= 300_000 * 40


def test_the_example_ships_a_digest_of_its_public_names() -> None:
    """kitchen's digest holds at least 300 names, those of plugins.txt."""
    listed = read_names(ROOT / "examples/kitchen/plugins.txt")
    file = ROOT / "examples/kitchen/kitchen/plugins.digest"
    place = f"{file} {fingerprint(file.read_bytes())}"
    assert len(listed) >= 300
    assert file.stat().st_size == HEADER + len(listed) * SIZE
    assert [public(place, name) for name in listed] == list(listed)
    assert public(place, "acme-internal-cloud") is None
