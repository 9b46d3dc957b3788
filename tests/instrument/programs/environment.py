"""Prints its environment, and the one that its children get, all but the variable that tells a child of its parent's run."""
# run: TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 TRACESTATE=a=b OTEL_SERVICE_NAME=mine => 0 0?
# run: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1 OTEL_TRACES_EXPORTER=otlp OTEL_RESOURCE_ATTRIBUTES=a=b => 0 0?
# run: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=all OTEL_EXPORTER_OTLP_HEADERS=key=secret OTEL_PROPAGATORS=b3 => 0 0?

import os
import subprocess


def show(pairs):
    for pair in sorted(pairs):
        if not pair.startswith(b"OTEL_BRIDGE_RUN="):
            print(ascii(pair))


def main():
    show(key + b"=" + value for key, value in os.environb.items())
    print(os.environ.get("OTEL_BRIDGE_RUN"), os.getenv("OTEL_BRIDGE_RUN"), "OTEL_BRIDGE_RUN" in os.environ)
    with open("/proc/self/environ", "rb") as file:
        show(file.read().split(b"\0"))
    show(subprocess.run(["env", "-0"], capture_output=True, check=True).stdout.split(b"\0"))
    with os.popen("env -0") as file:
        show(file.buffer.read().split(b"\0"))
    show(subprocess.run(["env", "-0"], capture_output=True, check=True, env={"ONLY": "this"}).stdout.split(b"\0"))
    show(subprocess.run(["env", "-0"], capture_output=True, check=True, env=os.environ).stdout.split(b"\0"))
    print("changed", flush=True)
    os.environ["MORE"] = "set here"
    del os.environ["LANG"]
    os.unsetenv("TMPDIR")
    if os.fork() == 0:
        os.execlp("sh", "sh", "-c", "env | grep -v -e ^OTEL_BRIDGE_RUN= -e ^_= | sort")
    os.wait()
    os.environ.clear()
    show(subprocess.run(["/usr/bin/env", "-0"], capture_output=True, check=True).stdout.split(b"\0"))
