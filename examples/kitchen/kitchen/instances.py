"""Which instances there are (`.kitchen.yml`), and how far each of them has come (`.kitchen/NAME.yml`)."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import yaml

DEFAULTS = {
    "driver": {"name": "exec"},
    "provisioner": {"name": "shell"},
    "verifier": {"name": "shell"},
    "transport": {"name": "exec"},
    "platforms": [{"name": "debian-12"}],
    "suites": [{"name": "default"}],
}
BOXES = {"debian-11", "debian-12", "fedora-40", "rockylinux-9", "ubuntu-22.04", "ubuntu-24.04"}


class KitchenError(Exception):
    """Something that the person can mend; shown as one line."""


@dataclass
class Instance:
    """A suite on a platform: its settings, its sandbox folder and its state."""

    name: str
    platform: str
    settings: dict[str, dict[str, str]]
    folder: Path
    state: dict[str, str] = field(default_factory=dict)

    @property
    def sandbox(self) -> Path:
        """The folder in which the instance lives."""
        return self.folder / self.name

    def save(self) -> None:
        """Write the state down; an instance without any has no file."""
        file = self.folder / f"{self.name}.yml"
        if self.state:
            self.folder.mkdir(exist_ok=True)
            file.write_text(yaml.safe_dump(self.state))
        else:
            file.unlink(missing_ok=True)


def load(config: str = ".kitchen.yml", only: str = "") -> list[Instance]:
    """The instances of a configuration whose name contains `only`; raises KitchenError."""
    settings = {**DEFAULTS, **_read(Path(config))}
    folder = Path(".kitchen")
    found = []
    for suite in settings["suites"]:
        for platform in settings["platforms"]:
            name = f"{suite['name']}-{platform['name']}".replace(".", "").replace("/", "-")
            if only in name:
                parts = {
                    part: {**settings[part], **platform.get(part, {})}
                    for part in ("driver", "provisioner", "verifier", "transport")
                }
                found.append(Instance(name, platform["name"], parts, folder, _read(folder / f"{name}.yml")))
    if not found:
        raise KitchenError(f"no instance is called like `{only}`; `kitchen list` names them")
    return found


def target_of(instance: Instance, named: str | None) -> tuple[str, bool]:
    """The box to create, and whether the person named it (else it is the driver's own choice for the platform)."""
    chosen = named or instance.settings["driver"].get("target")
    return (chosen, True) if chosen else (f"bento/{instance.platform}", False)


def _read(file: Path) -> dict:
    if not os.path.exists(file):
        return {}
    try:
        found = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as problem:
        raise KitchenError(f"{file} is not YAML: {str(problem).splitlines()[0]}") from None
    if not isinstance(found, dict):
        raise KitchenError(f"{file} must be a mapping with `driver`, `platforms` and `suites`")
    return found
