"""WHO LISTENS: find the collector and the YAML files that make up its configuration, in the order that keeps privacy whole."""

import os
from pathlib import Path

from ..errors import CollectorError
from ..settings import setting

_HERE = Path(__file__).parent


def config_folder() -> Path:
    """The folder of the collector's YAML: as set, or of this checkout, or as shipped in the package. Raises CollectorError."""
    named = setting("collector_config")
    places = [Path(named)] if named else [Path("collector-config"), _HERE.parents[1] / "collector-config", _HERE / "config"]
    for place in places:
        if (place / "base.yaml").is_file():
            return place
    raise CollectorError(f"no base.yaml in {', '.join(map(str, places))}; set OTEL_BRIDGE_COLLECTOR_CONFIG to the folder")


def config_files() -> list[Path]:
    """Base, sinks, overlay and, last, privacy.yaml: of two files that set the same list the later one wins, and it holds the
    intake pipelines, so nothing before it can shorten them. Raises CollectorError for a name that is no file.
    """
    folder = config_folder()
    files = [folder / "base.yaml"]
    for kind, name in (("sinks", "sink"), ("sinks", "sink_2"), ("overlays", "overlay")):
        files.append(folder / kind / f"{setting(name)}.yaml")
        if not files[-1].is_file():
            known = ", ".join(sorted(file.stem for file in (folder / kind).glob("*.yaml")))
            raise CollectorError(f"OTEL_BRIDGE_{name.upper()}: `{setting(name)}` is none of {known}")
    return [*files, folder / "privacy.yaml"]


def binary() -> Path:
    """The collector: OTEL_BRIDGE_OTELCOL, or what `make collector` built. Raises CollectorError."""
    named = setting("otelcol")
    places = [Path(named)] if named else [folder / ".cache/otelcol-bridge" for folder in (Path.cwd(), _HERE.parents[1])]
    for place in places:
        if os.access(place, os.X_OK) and place.is_file():
            return place
    raise CollectorError(f"no collector at {' or '.join(map(str, places))}; `make collector` builds it")
