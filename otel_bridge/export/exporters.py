"""Export only declared events and spans of a program on the OTel SDK: where an exporter is what its configuration can name.

`OTEL_LOGS_EXPORTER=otel_bridge` and `OTEL_TRACES_EXPORTER=otel_bridge` make them, and so does the declarative configuration of
`OTEL_CONFIG_FILE`: `exporter: {otel_bridge: {product: shop, endpoint: "https://host:4318"}}`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ..errors import swallow
from ..settings import setting
from . import logs, spans
from .otlp import post
from .policy import Policy
from .prepare import Ready
from .resource import SCOPE
from .writer import endpoint_of


class PrivacyLogExporter(LogRecordExporter):
    """Exports declared events, made anew by `policy`, through `downstream`; without one, over OTLP/HTTP to `endpoint`.

    Without a policy that of `product` holds, or of OTEL_BRIDGE_PRODUCT; without an endpoint OTEL_BRIDGE_ENDPOINT or the
    product's own. Never raises. Source: https://opentelemetry.io/docs/specs/otel/logs/sdk/#logrecordexporter
    """

    def __init__(
        self, policy: Policy | None = None, downstream: LogRecordExporter | None = None, *, product: str = "", endpoint: str = ""
    ) -> None:
        self.policy = policy or Policy.of(product or setting("product"))
        self.downstream, self.endpoint = downstream, endpoint

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export what may leave of these records."""
        try:
            made = _made(batch, self.policy.record, logs.to_otel, self.policy)
            if not made:
                return LogRecordExportResult.SUCCESS
            if self.downstream is not None:
                return self.downstream.export(made)
            return LogRecordExportResult.SUCCESS if _posted("logs", made, self) else LogRecordExportResult.FAILURE
        except Exception as problem:
            swallow(problem)
            return LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """Shut the exporter behind down."""
        if self.downstream is not None:
            self.downstream.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Nothing waits here."""
        return True


class PrivacySpanExporter(SpanExporter):
    """Exports declared spans; everything else as `PrivacyLogExporter` does.

    Source: https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-exporter
    """

    def __init__(
        self, policy: Policy | None = None, downstream: SpanExporter | None = None, *, product: str = "", endpoint: str = ""
    ) -> None:
        self.policy = policy or Policy.of(product or setting("product"))
        self.downstream, self.endpoint = downstream, endpoint

    def export(self, spans_: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export what may leave of these spans."""
        try:
            made = _made(spans_, self.policy.span, spans.to_otel, self.policy)
            if not made:
                return SpanExportResult.SUCCESS
            if self.downstream is not None:
                return self.downstream.export(made)
            return SpanExportResult.SUCCESS if _posted("traces", made, self) else SpanExportResult.FAILURE
        except Exception as problem:
            swallow(problem)
            return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Shut the exporter behind down."""
        if self.downstream is not None:
            self.downstream.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return True


def _made(
    batch: Sequence[Any], reduce: Callable[[Any], Ready | None], to_otel: Callable[[Ready], Any], policy: Policy
) -> list[Any]:
    """What may leave; what one of our processors has made is not reduced twice, but asked for once more."""
    made = []
    for one in batch:
        if one.instrumentation_scope is SCOPE:
            if policy.still(one):
                made.append(one)
        elif (ready := reduce(one)) is not None:
            made.append(to_otel(ready))
    return made


def _posted(signal: str, made: list[Any], exporter: PrivacyLogExporter | PrivacySpanExporter) -> bool:
    declared = exporter.policy.declared
    assert declared is not None  # or nothing would have been made
    return not post(signal, made, exporter.endpoint or endpoint_of(declared)).error
