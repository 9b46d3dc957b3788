"""`otel-bridge register` keeps a declaration for a tool that carries none, for its person alone."""

import os
import re
import stat
from pathlib import Path

import pytest
from conftest import BIN, World, attributes
from other_tool import EMIT, ON, REGISTRY, SETTINGS, register

from otel_bridge import registered
from otel_bridge.errors import SchemaError
from otel_bridge.schema.compile import read
from otel_bridge.schema.product import Product, find

BAD = sorted((Path(__file__).parent / "testdata/bad").glob("*.toml"))
KEPT = Path(".local/share/otel-bridge")


@pytest.fixture
def home(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the world, for functions called in this process; the tool is registered in it."""
    monkeypatch.setattr("otel_bridge.paths.environ", {b"HOME": os.fsencode(world.home)})
    register(world)
    return world.home


def modes(folder: Path) -> dict[str, str]:
    return {
        str(one.relative_to(folder)): oct(stat.S_IMODE(one.lstat().st_mode)) for one in folder.rglob("*") if not one.is_symlink()
    }


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_what_is_registered_is_the_persons_alone(world: World, umask: int) -> None:
    """Folders 0700, files 0600, whatever the umask; the path that was written is told."""
    before = os.umask(umask)
    try:
        register(world)
        told = world.run("otel-bridge", "register", str(world.root / "declared/telemetry.yaml")).stdout
    finally:
        os.umask(before)
    kept = world.home / KEPT
    assert told == "".join(f"{kept}/other-tool/{name}: written\n" for name in ("plugins.digest", "_telemetry.py"))
    assert modes(kept) == {
        ".packages": "0o700",
        "other-tool": "0o700",
        "other-tool/_telemetry.py": "0o600",
        "other-tool/plugins.digest": "0o600",
    }
    assert os.readlink(kept / ".packages/other_tool") == "../other-tool"


def test_what_others_could_write_is_made_the_persons_again(world: World) -> None:
    """Registering once more takes back what a careless `chmod` gave away."""
    register(world)
    for place in (KEPT, KEPT / "other-tool", KEPT / ".packages"):
        (world.home / place).chmod(0o777)
    register(world)
    assert {
        oct(stat.S_IMODE((world.home / place).stat().st_mode)) for place in (KEPT, KEPT / "other-tool", KEPT / ".packages")
    } == {"0o700"}


def test_it_is_found_by_product_and_by_package(home: Path) -> None:
    """Both give the declaration as a module; what is not registered is None."""
    by_product, by_package = registered.of_product("other-tool"), registered.of_package("other_tool")
    assert by_product is not None
    assert by_package is not None
    file = str(home / KEPT / "other-tool/_telemetry.py")
    assert (by_product.__file__, by_product.PRODUCT, by_product.PACKAGE, by_product.VERSION) == (
        file,
        "other-tool",
        "other_tool",
        "2.7.1",
    )
    assert by_package.DIGEST == by_product.DIGEST == read(Path(file)).digest
    assert [registered.of_product(name) for name in ("nothing", "", ".packages", "../otel-bridge/other-tool")] == [None] * 4
    assert [registered.of_package(name) for name in ("nothing", "", "other-tool", "../.packages/other_tool")] == [None] * 4


def test_a_module_finds_the_nearest_package_above_it(home: Path) -> None:
    """`other_tool.cli.main` belongs to `other_tool`; what belongs to nothing raises the problem that led there."""
    assert registered.of_module("other_tool.cli.main", ImportError("x")).PRODUCT == "other-tool"
    with pytest.raises(ImportError, match="no such thing"):
        registered.of_module("another.cli", ImportError("no such thing"))


@pytest.mark.parametrize("place", [".", "other-tool", "other-tool/_telemetry.py", "other-tool/__pycache__"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_somebody_else_may_write_is_never_executed(home: Path, place: str, mode: int) -> None:
    """A group or everybody: the file, its folder, the folder of its bytecode, and the folder of all."""
    touched = home / "executed"
    file = home / KEPT / "other-tool/_telemetry.py"
    file.write_text(file.read_text() + f"__import__('os').mkdir({str(touched)!r})\n")
    (home / KEPT / "other-tool/__pycache__").mkdir()
    open_to_all = home / KEPT / place
    open_to_all.chmod(open_to_all.stat().st_mode | mode)
    assert (registered.of_product("other-tool"), registered.of_package("other_tool"), registered.products()) == (None, None, [])
    assert not touched.exists()
    open_to_all.chmod(open_to_all.stat().st_mode & ~0o022)
    assert registered.of_product("other-tool") is not None
    assert touched.exists()


def test_what_belongs_to_somebody_else_is_never_executed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `sudo` in a person's home: the effective user has to be the owner."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert (registered.of_product("other-tool"), registered.of_package("other_tool")) == (None, None)


def test_registering_in_somebody_elses_home_is_refused(home: Path, world: World) -> None:
    """One line, exit code 1, nothing written."""
    if os.getuid() != 0:
        pytest.skip("only root has homes of others at hand")
    before = modes(home)
    os.chown(home / KEPT / "other-tool", 12345, -1)
    done = world.run("otel-bridge", "register", str(world.root / "declared/telemetry.yaml"), ok=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"there is no place to keep the declaration of other-tool: .* run it as that person\n", done.stderr)
    assert modes(home) == before


def test_registering_again_replaces_in_the_same_second(home: Path, world: World) -> None:
    """The bytecode of what was there before is not taken for current, though size and second are the same."""
    found = []
    for word in ("green", "brown", "black"):
        register(world, registry=REGISTRY.replace("green", word))
        code = "from otel_bridge.registered import of_product; print(of_product('other-tool').EVENTS)"
        found.append(re.findall("green|brown|black", world.run(str(BIN / "python"), "-c", code, PYTHONDONTWRITEBYTECODE="").stdout))
    assert found == [["green"], ["brown"], ["black"]]
    assert [one.name.partition(".")[0] for one in (home / KEPT / "other-tool/__pycache__").iterdir()] == ["_telemetry"]


def test_another_package_of_the_same_product_takes_over(home: Path, world: World) -> None:
    """The old name finds nothing any more, the new one does; a digest that is declared no longer is gone."""
    without = REGISTRY.replace("policy: registry, registry: plugins", "policy: enum, values: [vagrant]")
    register(world, settings=SETTINGS.partition("[registries]")[0] + 'package = "renamed"\n', registry=without)
    assert registered.of_package("other_tool") is None
    renamed = registered.of_package("renamed")
    assert renamed is not None
    assert renamed.PRODUCT == "other-tool"
    kept = {one.name for one in (home / KEPT / "other-tool").iterdir()}
    assert kept - {"__pycache__"} == {"_telemetry.py"}


def test_a_link_to_another_product_is_not_believed(home: Path) -> None:
    """The declaration has to name the package itself."""
    (home / KEPT / ".packages/httpie").symlink_to("../other-tool")
    assert registered.of_package("httpie") is None


def test_a_declaration_with_mistakes_changes_nothing(home: Path, world: World) -> None:
    """All mistakes, exit code 1, and what was registered stays."""
    before = read(home / KEPT / "other-tool/_telemetry.py")
    (world.root / "declared/telemetry.yaml").write_text(
        REGISTRY.replace("policy: count", "policy: cuont").replace("type: double", "type: doubel")
    )
    done = world.run("otel-bridge", "register", str(world.root / "declared/telemetry.yaml"), ok=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 2)
    assert read(home / KEPT / "other-tool/_telemetry.py") == before


def test_every_verb_knows_what_is_registered(world: World) -> None:
    """`status` without a name lists it, `list` tells what it collects, `on` turns it on before it has ever run."""
    register(world)
    assert [one["product"] for one in world.json("otel-bridge", "status", "--json") if one["product"] != "kitchen"] == [
        "other-tool"
    ]
    told = world.json("otel-bridge", "list", "--product", "other-tool", "--json")
    assert {"tool.built", "tool.cleaned"} <= {one["name"] for one in told["events"]}
    world.on("other-tool")
    world.run(*EMIT, "tool.built", "tool.plugin=vagrant")
    (event,) = world.waiting("other-tool")
    assert attributes(event)["tool.plugin"] == "vagrant"  # by the digest beside the file
    shown = world.run("otel-bridge", "preview", "--product", "other-tool").stdout
    assert "tool.plugin                        vagrant" in shown


def test_it_is_found_where_data_is_kept_elsewhere(world: World) -> None:
    """XDG_DATA_HOME names the folder; a relative one is ignored."""
    register(world)
    data = {"XDG_DATA_HOME": str(world.root / "data")}
    assert world.run(*EMIT, "tool.built", ok=False, **ON, **data).returncode == 1
    world.run("otel-bridge", "register", str(world.root / "declared/telemetry.yaml"), **data)
    assert (world.root / "data/otel-bridge/other-tool/_telemetry.py").is_file()
    world.run(*EMIT, "tool.built", **ON, **data)
    world.run(*EMIT, "tool.built", **ON, XDG_DATA_HOME="data")
    assert len(world.waiting("other-tool")) == 2


def test_products_are_found_without_a_home_for_data(world: World) -> None:
    """Where HOME is not set, and only the state has a place, nothing is registered and nothing fails."""
    more = {"HOME": "", "XDG_STATE_HOME": str(world.home / ".local/state"), "XDG_CONFIG_HOME": str(world.home / ".config")}
    (world.state / "another").mkdir(parents=True)
    assert {one["product"] for one in world.json("otel-bridge", "status", "--json", **more)} - {"kitchen"} == {"another"}
    (world.work / "otel-bridge.toml").write_text('product = "p"\n')
    (world.work / "telemetry.yaml").write_text("file_format: definition/2\n")
    done = world.run("otel-bridge", "register", ok=False, **more)
    assert (done.returncode, done.stderr) == (1, "there is no place to keep the declaration of p: HOME is not set\n")


def test_a_package_without_a_declaration_is_recorded_by_what_is_registered(world: World) -> None:
    """One changed import line in the installed script of somebody else's package, and its runs are recorded."""
    package = world.root / "site/stranger"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__version__ = '3.2.1'\n")
    (package / "cli.py").write_text("import sys\ndef main():\n    print('done')\n    sys.exit(4)\n")
    script = world.root / "stranger"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(package.parent)!r})\nfrom otel_bridge.auto.stranger.cli import main\nsys.exit(main())\n"
    )
    words = (str(BIN / "python"), str(script))
    bare = world.run(*words, ok=None, STRANGER_TELEMETRY="on")
    assert (bare.returncode, bare.stdout, bare.stderr) == (4, "done\n", "")
    settings = '[tool.otel-bridge]\nproduct = "stranger"\npackage = "stranger"\nscripts = ["stranger"]\n'
    (world.work / "pyproject.toml").write_text(settings)
    (world.work / "telemetry.yaml").write_text("file_format: definition/2\n")
    world.run("otel-bridge", "register")
    done = world.run(*words, ok=None, STRANGER_TELEMETRY="on")
    assert (done.returncode, done.stdout, done.stderr) == (4, "done\n", "")
    (span,) = world.waiting("stranger")
    told = attributes(span)
    assert (told["process.executable.name"], told["process.exit.code"]) == ("stranger", 4)
    resource = {one["key"]: one["value"] for one in span.resource["attributes"]}
    assert resource["service.version"] == {"stringValue": "3.2.1"}
    assert not list(package.rglob("_telemetry*"))


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_bad_settings_are_told_with_their_remedy(file: Path, tmp_path: Path) -> None:
    """Each file names in its comments `# expect TEXT` what is told of it, a line each, and nothing else is."""
    copy = tmp_path / "otel-bridge.toml"
    copy.write_bytes(file.read_bytes())
    with pytest.raises(SchemaError) as told:
        find(tmp_path / "telemetry.yaml")
    expected = re.findall(r"# expect (.*)", file.read_text())
    assert str(told.value).splitlines() == [f"{copy}: {text}" for text in expected]


@pytest.mark.parametrize(
    ("name", "package"),
    [("other-tool", "other_tool"), ("a.b-c", "a_b_c"), ("7zip", "_7zip"), ("x_y", "x_y"), ("kubectl", "kubectl")],
)
def test_a_product_without_a_package_has_its_name_as_one(tmp_path: Path, name: str, package: str) -> None:
    """Hyphens and dots are no part of what Python imports."""
    (tmp_path / "otel-bridge.toml").write_text(f'product = "{name}"\nscripts = ["b", "a"]\nversion = "1.2"\n')
    expected = Product(product=name, package=package, root=tmp_path, family=name, version="1.2", scripts=("a", "b"))
    assert find(tmp_path / "telemetry.yaml") == expected


def test_scripts_add_to_those_of_the_project(tmp_path: Path) -> None:
    """What `[project.scripts]` says stays; in a pyproject.toml the package has to be named."""
    text = '[project]\nname = "d"\nversion = "4"\n[project.scripts]\np = "otel_bridge.auto.p:main"\nq = "q:main"\n[tool.otel-bridge]\nproduct = "p"\n'
    (tmp_path / "pyproject.toml").write_text(text + 'package = "p"\nscripts = ["p.sh", "p"]\n')
    found = find(tmp_path / "telemetry.yaml")
    assert (found.scripts, found.version, found.distribution) == (("p", "p.sh"), "4", "d")
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SchemaError, match=r"\[tool.otel-bridge\]: `package` is missing"):
        find(tmp_path / "telemetry.yaml")


def test_compiling_without_a_package_says_what_to_do(world: World) -> None:
    """`compile` needs the folder; it names `register` beside the other ways."""
    register(world)
    done = world.run("otel-bridge", "compile", str(world.root / "declared/telemetry.yaml"), ok=False)
    assert done.returncode == 1
    assert re.fullmatch(
        r".*/other_tool: there is no such package; .*`otel-bridge register`, which keeps what has no package\n", done.stderr
    )


def test_a_file_that_somebody_has_broken_is_told_to_authors_only(world: World) -> None:
    """`run` and `emit` go on without it; OTEL_BRIDGE_DEBUG=1 says why, and registering mends it."""
    register(world)
    (world.home / KEPT / "other-tool/_telemetry.py").write_text("rubbish rubbish")
    run = ("otel-bridge", "run", "--product", "other-tool", "--", "echo", "hi")
    for words in (run, (*EMIT, "tool.built")):
        assert world.run(*words, **ON).stderr == ""
        assert "otel-bridge: SyntaxError" in world.run(*words, **ON, OTEL_BRIDGE_DEBUG="1").stderr
    register(world)
    world.run(*run, **ON)
    assert len(world.waiting("other-tool")) == 1
