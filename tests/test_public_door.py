"""What `import otel_bridge` gives, and that it gives it for nothing."""

import subprocess
import sys
from pathlib import Path

import otel_bridge


def test_the_public_names_are_sorted_and_there() -> None:
    """`__all__` is sorted, complete and every name of it exists."""
    public = {
        name
        for name, value in vars(otel_bridge).items()
        if callable(value) and name[:1] != "_" and name not in ("action", "command")
    }
    assert otel_bridge.__all__ == sorted(otel_bridge.__all__) == ["action", "ask", "command", "event", "mount"]
    assert public | {"action", "command", "mount"} == set(otel_bridge.__all__)
    assert callable(otel_bridge.action) and callable(otel_bridge.command)
    assert callable(otel_bridge.mount.click_group)


def test_importing_the_door_imports_nothing_else() -> None:
    """A program that only imports `otel_bridge` pays for one file of ours."""
    code = "import sys; before = set(sys.modules); import otel_bridge; otel_bridge.event('x'); print(sorted(set(sys.modules) - before))"
    root = Path(otel_bridge.__file__).parents[1]
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(root)})
    assert done.stdout == "['otel_bridge']\n", done.stderr


def test_an_event_without_a_run_is_nothing() -> None:
    """Outside of a recorded run `event` does nothing, whatever it is given."""
    assert otel_bridge.event("no.such", {object(): object()}) is None
