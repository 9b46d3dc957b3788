"""logfire: its scrubbing as it is on by default, over what its exporter is handed.

Used where it looks: an attribute that is also formatted into the message (`text`), and an attribute under the secret's natural name
(`key`). Left out, for it says that it does not look there: exception messages, span names, URLs and statements under their semantic
names.
"""

import sys
from importlib.metadata import version

import logfire
from child import serve
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def main() -> None:
    """Answer every line."""
    exporter = InMemorySpanExporter()
    logfire.configure(
        send_to_logfire=False, console=False, metrics=False, additional_span_processors=[SimpleSpanProcessor(exporter)]
    )

    def told() -> str:
        found = " ".join(span.to_json(indent=None) for span in exporter.get_finished_spans())
        exporter.clear()
        return found

    def scrub(text: str, secret: str, label: str) -> dict[str, str]:
        logfire.info("failed: {detail}", detail=text)
        by_text = told()
        logfire.info("failed", **{label: secret})
        return {"text": by_text, "key": told()}

    serve({"logfire": version("logfire")}, scrub)


if __name__ == "__main__":
    sys.exit(main())
