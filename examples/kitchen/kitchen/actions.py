"""What kitchen does to an instance; each action tells one event, as RFC 95 lists them."""

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import otel_bridge

from .instances import Instance, KitchenError, target_of


def each(action, instances: list[Instance], concurrency: int = 1) -> None:
    """Do an action to every instance, several at a time if wanted; the first failure is raised."""
    if concurrency > 1:
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(action, instances))
    else:
        for instance in instances:
            action(instance)


def create(instance: Instance, driver: str | None = None, target: str | None = None) -> str:
    """Make the sandbox of an instance."""
    settings = instance.settings["driver"]
    box, named = target_of(instance, target)
    instance.sandbox.mkdir(parents=True, exist_ok=True)
    instance.state = {"last_action": "create", "driver": driver or settings["name"], "target": box}
    instance.save()
    otel_bridge.event(
        "kitchen.create",
        {
            "kitchen.driver.name": instance.state["driver"],
            "kitchen.driver.version": settings.get("version", ""),
            "kitchen.target": box,
            "kitchen.platform": instance.platform,
            "kitchen.transport": instance.settings["transport"]["name"],
        },
        set_by_user={"kitchen.target"} if named else (),
    )
    return f"created {instance.name} on {box}"


def converge(instance: Instance) -> str:
    """Run the provisioner's script in the sandbox, as a child process."""
    if not instance.state:
        create(instance)
    settings = instance.settings["provisioner"]
    started = time.monotonic()
    code = _script(instance, settings.get("script", "true"))
    otel_bridge.event(
        "kitchen.converge",
        {
            "kitchen.provisioner.name": settings["name"],
            "kitchen.provisioner.product": settings.get("product_name", ""),
            "kitchen.provisioner.product_version": str(settings.get("product_version", "")),
            "kitchen.provisioner.channel": settings.get("channel", "stable"),
            "kitchen.provisioner.resolver": settings.get("resolver", "none"),
            "kitchen.seconds": time.monotonic() - started,
            "kitchen.succeeded": code == 0,
        },
    )
    return _done(instance, "converge", code)


def verify(instance: Instance) -> str:
    """Run the verifier's script in the sandbox, as a child process."""
    if instance.state.get("last_action") not in ("converge", "verify"):
        converge(instance)
    settings = instance.settings["verifier"]
    code = _script(instance, settings.get("script", "true"))
    otel_bridge.event(
        "kitchen.verify",
        {
            "kitchen.verifier.name": settings["name"],
            "kitchen.verifier.version": settings.get("version", ""),
            "kitchen.succeeded": code == 0,
        },
    )
    return _done(instance, "verify", code)


def destroy(instance: Instance) -> str:
    """Remove the sandbox of an instance and forget its state."""
    shutil.rmtree(instance.sandbox, ignore_errors=True)
    instance.state = {}
    instance.save()
    otel_bridge.event("kitchen.destroy", {"kitchen.platform": instance.platform})
    return f"destroyed {instance.name}"


def _script(instance: Instance, script: str) -> int:
    return subprocess.run(["/bin/sh", "-c", script], cwd=instance.sandbox, check=False).returncode


def _done(instance: Instance, action: str, code: int) -> str:
    if code:
        raise KitchenError(f"{action} of {instance.name} failed with status {code}")
    instance.state["last_action"] = action
    instance.save()
    return f"{action} of {instance.name} done"
