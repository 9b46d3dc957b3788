"""Build Prometheus' promtool once, as .cache/promtool; `make promtool` runs this. It checks the alert rules and runs their tests.

What it would need to look for targets (Kubernetes and two dozen clouds) is left out: three quarters of the work of compiling it.
Built in the module's own folder, with its own go.sum.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from build import CACHE, prepared, step

MODULE, VERSION = "github.com/prometheus/prometheus", "v0.309.1"
PLUGINS = "package plugins\n"
KUBERNETES = """package kubernetes

import (
	"github.com/prometheus/common/config"

	"github.com/prometheus/prometheus/discovery"
)

// SDConfig is here for promtool's look at TLS files.
type SDConfig struct {
	discovery.Config
	HTTPClientConfig config.HTTPClientConfig
}
"""


def main() -> int:
    """Build unless the binary is there and of this version; returns the exit code."""
    binary, stamp = CACHE / "promtool", CACHE / "promtool.of"
    if binary.exists() and stamp.exists() and stamp.read_text() == VERSION:
        return 0
    started = time.monotonic()
    go, environment = prepared()
    folder = CACHE / "prometheus"
    prune(source(go, environment), folder)
    words = [go, "build", "-trimpath", "-ldflags=-s -w", "-o", f"{binary}.new", "./cmd/promtool"]
    step(f"promtool {VERSION}, its modules and compiling (2 minutes)", words, folder, environment)
    os.replace(f"{binary}.new", binary)
    stamp.write_text(VERSION)
    shutil.rmtree(folder)
    print(f"promtool: built in {time.monotonic() - started:.0f} s, {binary.stat().st_size / 1e6:.0f} MB", flush=True)
    return 0


def source(go: Path, environment: dict[str, str]) -> Path:
    """The module as the proxy serves it."""
    words = [str(go), "mod", "download", "-json", f"{MODULE}@{VERSION}"]
    done = subprocess.run(words, cwd=CACHE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\npromtool: {MODULE} {VERSION} cannot be had")
    return Path(json.loads(done.stdout)["Dir"])


def prune(module: Path, folder: Path) -> None:
    """A copy of the module without service discovery."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(module, folder, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("web", "documentation"))
    shutil.copytree(module / "web", folder / "web", copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("ui"))
    for name in (".", *(one.relative_to(folder) for one in folder.rglob("*") if one.is_dir())):
        (folder / name).chmod(0o755)
    shutil.rmtree(folder / "plugins")
    shutil.rmtree(folder / "discovery/kubernetes")
    for file, text in (("plugins/plugins.go", PLUGINS), ("discovery/kubernetes/kubernetes.go", KUBERNETES)):
        (folder / file).parent.mkdir()
        (folder / file).write_text(text)


if __name__ == "__main__":
    sys.exit(main())
