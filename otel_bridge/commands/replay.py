"""`otel-bridge replay`: give what the file sink has kept to another sink."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path

import click

from ..collector import config_folder
from ..collector.counters import EVERY, Counters, Key, ask
from ..collector.post import Target, drained, settled
from ..collector.process import free_port, running
from ..collector.progress import Done, folder_for, free
from ..collector.replay import Count, files_of, replay, survey, write
from ..collector.sinks import active
from ..errors import CollectorError, DeliveryError
from ..progress import progress
from ..settings import pairs, setting
from . import json_option

_ARCHIVE = "/var/lib/otel-bridge/out"
_QUEUE = "/var/lib/otel-bridge/replay-queue"
_DOUBT = 60.0  # seconds to wait for what nobody may be owed any more


@click.command("replay")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--sink", "sinks", multiple=True, help="The sink to give them to, at most two; the active ones but `file` without it."
)
@click.option("--endpoint", help="Post to a running intake instead of starting a collector of its own.")
@click.option("--queue", type=click.Path(path_type=Path), help=f"Folder of its own queue.  [default: {_QUEUE}]")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds to wait for a sink that takes nothing.")
@click.option("--to", type=click.Path(path_type=Path), help="Only write mended copies into this folder, for overlays/replay.yaml.")
@click.option("--dry-run", is_flag=True, help="Read and count, send nothing.")
@json_option
def command(
    places: tuple[Path, ...],
    sinks: tuple[str, ...],
    endpoint: str | None,
    queue: Path | None,
    timeout: float,
    to: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give what the file sink has kept, mended, to another sink. PLACES are its files or its folder.

    Lines that a killed collector has glued or torn are taken apart first. Records of people who asked for their deletion in
    these files stay out. What goes on is checked by privacy.yaml once more.
    """
    files = files_of(places or (Path(os.environ.get("OTEL_BRIDGE_FILE_DIR") or _ARCHIVE),))
    asked, total = survey(files)
    count = Count()
    if to is not None or dry_run:
        if to is not None:
            to.mkdir(parents=True, exist_ok=True, mode=0o700)
        nothing = Done(Path(os.devnull))
        read = (number for file in files for number in replay(file, None, nothing, asked, count))
        gone(total, read if to is None else write(files, to, asked, count))
        tell(count, {}, Counters(), as_json)
        return
    chosen = sinks or tuple(name for name in active() if name != "file")
    if not endpoint:
        possible(chosen)
    elif not endpoint.startswith(("http://", "https://")):
        raise DeliveryError(f"--endpoint `{endpoint}`: write a base URL such as https://host:4318")
    root = queue or Path(os.environ.get("OTEL_BRIDGE_REPLAY_QUEUE_DIR") or _QUEUE)
    folder = folder_for(root, endpoint, chosen)
    free(folder)
    done = Done(folder / "done.json")
    with ended_in_order(), intake(endpoint, chosen, folder) as (address, scrape):
        owed = done.owed if scrape else {}
        doubtful = any(who == EVERY for _, who in owed)
        target = Target(address, timeout, pairs("headers") if endpoint else {}, setting("ca_file"))
        try:
            gone(total, (number for file in files for number in replay(file, target, done, asked, count)))
            found = drained(scrape, owed, min(timeout, _DOUBT) if doubtful else timeout) if scrape else Counters()
        finally:
            target.close()
            if scrape:
                with suppress(CollectorError):  # it has died: what was given away stands as owed, all of it
                    done.owe(settled(scrape).left(owed), doubtful)
    left = {key: number for key, number in done.owed.items() if number > 0} if scrape else {}
    again = doubtful and bool(left) and not any(found.waiting.values())
    if again or not left:
        done.forget()
    tell(count, left, found, as_json)
    if again:
        click.echo("an earlier replay was killed, so these may have been sent; the same command sends everything again", err=True)
    sys.exit(1 if left or count.refused or any(found.failed.values()) else 0)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end what is inside as an exception does, once: a second one does not disturb the ending."""
    ended = []

    def end(number: int, _: object) -> None:
        ended.append(number)
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if ended:
            click.echo("stopped; what was taken is kept, the same command goes on", err=True)


def possible(chosen: tuple[str, ...]) -> None:
    """Raises DeliveryError for sinks that cannot be replayed into."""
    known = sorted(file.stem for file in (config_folder() / "sinks").glob("*.yaml") if file.stem not in ("none", "file"))
    if not chosen:
        raise DeliveryError(f"no sink but the file itself is active; name one with --sink ({', '.join(known)})")
    for name in chosen:
        if name not in known:
            raise DeliveryError(f"--sink {name}: write one of {', '.join(known)}")
    if len(chosen) > 2:
        raise DeliveryError("--sink: at most two at once; replay into the others afterwards")


@contextmanager
def intake(endpoint: str | None, chosen: tuple[str, ...], folder: Path) -> Iterator[tuple[str, Callable[[], Counters] | None]]:
    """The endpoint to post to, and how its counters are read: a running one's own are nobody's here."""
    if endpoint:
        yield endpoint, None
        return
    port = free_port()
    told = {
        "OTEL_BRIDGE_SINK": chosen[0],
        "OTEL_BRIDGE_SINK_2": chosen[1] if len(chosen) > 1 else "none",
        "OTEL_BRIDGE_OVERLAY": "none",
        "OTEL_BRIDGE_QUEUE_DIR": str(folder / "queue"),
        "OTEL_BRIDGE_METRICS_HOST": "127.0.0.1",
        "OTEL_BRIDGE_METRICS_PORT": str(port),
    }
    with running(folder, told) as collector:
        yield collector.endpoint, lambda: ask(f"127.0.0.1:{port}")


def gone(total: int, steps: Iterator[int]) -> None:
    """Take every step, and show how many records of how many that makes."""
    with progress("replay", total) as told:
        for done in accumulate(steps):
            told(done)


def tell(count: Count, left: dict[Key, int], found: Counters, as_json: bool) -> None:
    """What was read, and what became of it."""
    filtered = sum(found.filtered.values())
    failed = {f"{who} {kind}": number for (kind, who), number in sorted(found.failed.items()) if number}
    sent = {f"{who} {kind}": number for (kind, who), number in sorted(found.sent.items())}
    if as_json:
        waiting = {f"{who} {kind}": number for (kind, who), number in left.items()}
        told = {**vars(count), "filtered": filtered, "sent": sent, "given_up": failed, "waiting": waiting}
        click.echo(json.dumps(told))
        return
    click.echo(f"read {count.records} records in {count.documents} documents of {count.files} files")
    for number, what in (
        (count.before, "taken by an earlier replay, not sent again"),
        (count.deleted, "of installations whose deletion was asked for, not sent"),
        (count.accepted, "accepted"),
        (filtered, "of these dropped by privacy.yaml: not declared any more"),
    ):
        if number or what == "accepted":
            click.echo(f"  {number:9,} {what}")
    for status, number in sorted(count.refused.items()):
        click.echo(f"  {number:9,} refused with {status}")
    for who, number in sent.items():
        click.echo(f"  {number:9,} sent by {who}")
    for who, number in failed.items():
        click.echo(f"  {number:9,} given up by {who}: the sink refused them for good; its log says why")
    for (kind, who), number in left.items():
        click.echo(f"  {number:9,} {kind} wait in the queue for {who}; the same command goes on")
    for place in count.where:
        click.echo(place, err=True)
    if count.unreadable:
        click.echo(
            f"{count.unreadable} pieces are no documents; half ones were never acknowledged, their sender kept them", err=True
        )
