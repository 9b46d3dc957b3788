"""WHO LISTENS: find the collector and the YAML files that make up its configuration, in the order that keeps privacy whole."""

import os
from pathlib import Path

from ..errors import CollectorError
from ..settings import setting

_HERE = Path(__file__).parent
ALONE = ("hec-peer", "agent")  # overlays that are the whole configuration
SOURCES = ("replay", "sink-worker")  # these stand in the place of base and privacy: what they read was cleaned before


def config_folder() -> Path:
    """The folder of the collector's YAML: as set, or of this checkout, or as shipped in the package. Raises CollectorError."""
    named = setting("collector_config")
    places = [Path(named)] if named else [Path("collector-config"), _HERE.parents[1] / "collector-config", _HERE / "config"]
    for place in places:
        if (place / "base.yaml").is_file():
            return place
    raise CollectorError(f"no base.yaml in {', '.join(map(str, places))}; set OTEL_BRIDGE_COLLECTOR_CONFIG to the folder")


def config_files() -> list[Path]:
    """The files that the settings choose, in the order in which the collector merges them. Raises CollectorError for a wrong name.

    Base, sinks, overlay and, last, privacy.yaml: of two files that set the same list the later one wins, and it holds the
    intake pipelines, so nothing before it can shorten them. What reads no client (replay, sink-worker) stands alone before
    its sinks; what has no sink of a file (hec-peer, agent) stands alone.
    """
    folder = config_folder()
    chosen = _file(folder, "overlay", "overlays", "scale")
    if chosen.stem in ALONE:
        return [chosen]
    sinks = [_file(folder, name, "sinks") for name in ("sink", "sink_2")]
    if chosen.stem in SOURCES:
        return [chosen, *sinks]
    return [folder / "base.yaml", *sinks, chosen, folder / "privacy.yaml"]


def _file(folder: Path, name: str, *kinds: str) -> Path:
    word = setting(name)
    known = {file.stem: file for kind in kinds for file in (folder / kind).glob("*.yaml")}
    if word not in known:
        raise CollectorError(f"OTEL_BRIDGE_{name.upper()}: `{word}` is none of {', '.join(sorted(known))}")
    return known[word]


def binary() -> Path:
    """The collector: OTEL_BRIDGE_OTELCOL, or what `make collector` built. Raises CollectorError."""
    named = setting("otelcol")
    places = [Path(named)] if named else [folder / ".cache/otelcol-bridge" for folder in (Path.cwd(), _HERE.parents[1])]
    for place in places:
        if os.access(place, os.X_OK) and place.is_file():
            return place
    raise CollectorError(f"no collector at {' or '.join(map(str, places))}; `make collector` builds it")
