"""Ask the intake to delete what it holds about this installation: an event in a file of its own, kept until it is taken."""

from pathlib import Path

from ..consent import OFF, ON, Decision, choice, do_not_track, identity, organisation, sdk_disabled
from ..errors import DeliveryError
from ..paths import rewrite, state_dir
from ..record.folder import discard
from ..schema.compile import Compiled
from . import backoff, otlp_json, spool
from .otlp import send
from .prepare import Ready, alone, prepare
from .writer import declaration, endpoint_of

NAME = "deletion.request"
WAITS = "deletion:waits"  # among the refusals of a choice: tells the next runs that the request is still to be sent
AT_ONCE = 16  # ids an event, as many as a list may hold
_STAYS = ("choice", "deletion.jsonl", "writer", "sender.lock")


def waits(folder: Path) -> bool:
    """Whether a deletion request has not been taken yet."""
    return (folder / "deletion.jsonl").exists()


def request(product: str) -> int:
    """Turn a product off, delete what is held about it here, and keep the request; returns for how many ids it asks.

    Raises DeliveryError, SchemaError, SettingsError and OSError.
    """
    folder = Path(state_dir(product))
    found = identity.ids(str(folder)) if folder.is_dir() else []
    if found and not waits(folder):
        ready = _events(declaration(product), found)
        rewrite(str(folder / "deletion.jsonl"), otlp_json.body("logs", ready).decode() + "\n")
    choice.choose(product, OFF, [WAITS] if waits(folder) else [])
    _clear(folder, _STAYS if waits(folder) else ("choice",))
    return len(found)


def _events(declared: Compiled, found: list[str]) -> list[Ready]:
    parts = [sorted(found[begin : begin + AT_ONCE]) for begin in range(0, len(found), AT_ONCE)]
    return [alone(declared, NAME, {"otel_bridge.deletion.ids": ids}) for ids in parts]


def deliver(product: str) -> None:
    """Send the request, under the person's own off too; once it is taken, delete all but the choice. Raises DeliveryError."""
    folder = Path(state_dir(product))
    for source in (organisation, do_not_track, sdk_disabled):
        said = source(product)
        if said is not None:
            raise DeliveryError(f"{product}: the deletion request waits, for {said.reason}; unset that once and run `forget` again")
    declared = declaration(product)
    endpoint = endpoint_of(declared)
    items, _ = spool.read(folder / "deletion.jsonl", "logs")
    ready, _ = prepare(items, declared, Decision(ON, "", ""))
    if not ready or len(ready) != len(items) or any(len(one.resource) < 2 for one in ready):
        raise DeliveryError(f"{product}: the deletion request cannot be read any more; {folder}/deletion.jsonl was edited")
    answer = send("logs", ready, endpoint)
    if answer.error or answer.rejected:
        problem = f"{endpoint}: {answer.error or 'the intake rejected it'}"
        backoff.remember(folder, problem, answer.status, answer.retry_after)
        raise DeliveryError(f"{product}: the deletion request waits: {problem}")
    mode = choice.mode_of(product)
    choice.choose(product, mode, [one for one in choice.refusals(product) if one != WAITS])
    if mode == OFF:
        _clear(folder, ("choice",))
    else:  # on again meanwhile, under another id: what was recorded since is not ours to delete
        (folder / "deletion.jsonl").unlink()


def _clear(folder: Path, stays: tuple[str, ...]) -> None:
    """Delete everything in a product's folder but some files. Raises OSError."""
    for one in list(folder.iterdir()) if folder.is_dir() else ():
        if one.name in stays:
            continue
        if one.is_dir() and not one.is_symlink():
            discard(str(one))
        else:
            one.unlink(missing_ok=True)
