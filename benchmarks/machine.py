"""What a benchmark ran on, as it is kept beside its figures: no host name, no path."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "requests", "grpcio", "protobuf")


def describe() -> dict[str, object]:
    """CPU model, cores, memory in GiB, kernel, Python, versions of libraries, load of the last minute when it began."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "libraries": {name: version(name) for name in LIBRARIES},
        "load_before": round(os.getloadavg()[0], 2),
    }


def _field(path: str, name: str) -> str:
    """The first `name : value` of a file of /proc; empty where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
