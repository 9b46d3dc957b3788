"""What is generated from the registries is current: code, documents and the collector's allow-list say one thing."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import BIN, ROOT

from otel_bridge import schema
from otel_bridge.collector.privacy_yaml import render
from otel_bridge.commands import compile as compiling
from otel_bridge.commands import docs

REGISTRIES = [ROOT / name for name in re.search(r"^REGISTRIES := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()]


def generated(root: Path = ROOT) -> dict[Path, bytes]:
    """Every generated file of a checkout, with what belongs into it; nothing for one that should not be there."""
    registries = [schema.load(root / registry.relative_to(ROOT)) for registry in REGISTRIES]
    wanted: dict[Path, bytes] = {}
    for registry in registries:
        pages = docs.outputs(registry)
        wanted |= compiling.outputs(registry) | pages
        wanted |= dict.fromkeys(docs.surplus(registry.product.root, pages), b"")
    wanted[root / "collector-config/privacy.yaml"] = render(registries).encode()
    pages = runpy.run_path(str(ROOT / "docs/generate.py"))["pages"]()
    return wanted | {root / path.relative_to(ROOT): text.encode() for path, text in pages.items()}


def stale(root: Path = ROOT) -> list[str]:
    return sorted(
        str(path.relative_to(root))
        for path, content in generated(root).items()
        if not path.exists() or path.read_bytes() != content
    )


def test_everything_generated_is_current() -> None:
    """Each file is what `make generate` would write now."""
    found = stale()
    assert not found, "".join(f"\n{name}: not current; run `make generate`" for name in found)


def test_a_changed_declaration_makes_files_stale_and_make_generate_mends_them(tmp_path: Path) -> None:
    """One brief and one policy changed: the test above names each file that is not current, `make generate` writes them all."""
    copy = tmp_path / "checkout"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\n"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    file = copy / "examples/kitchen/telemetry.yaml"
    text = file.read_text()
    text = text.replace("brief: An instance was removed.", "brief: An instance was taken away.")
    text = text.replace("bounds: [0.3, 1, 3, 10, 30, 100, 300, 1000, 3600]", "bounds: [1, 10, 100, 1000]")
    file.write_text(text)
    touched = [
        *("collector-config/privacy.yaml", "examples/kitchen/TELEMETRY.md"),
        *(f"examples/kitchen/docs/events/{name}.md" for name in ("README", "kitchen.converge", "kitchen.destroy")),
        "examples/kitchen/kitchen/_telemetry.py",
    ]
    assert stale(copy) == touched

    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    test = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/test_generated.py::test_everything_generated_is_current",
    ]
    told = subprocess.run(test, cwd=copy, env=environment, capture_output=True, text=True)
    assert told.returncode == 1, told.stdout + told.stderr
    assert all(name in told.stdout for name in touched)

    (copy / ".installed").touch()  # what this environment has installed is what the copy needs
    make = ["make", "generate", f"BIN={BIN}", "INSTALLED=.installed"]
    told = subprocess.run(make, cwd=copy, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert stale(copy) == []
