"""Export only declared events and spans of a program on the OTel SDK: where an exporter is what its configuration can name.

`OTEL_LOGS_EXPORTER=otel_bridge` and `OTEL_TRACES_EXPORTER=otel_bridge` make them, and so does the declarative configuration of
`OTEL_CONFIG_FILE`: `exporter: {otel_bridge: {product: shop, endpoint: "https://host:4318"}}`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ..errors import swallow
from ..settings import setting
from . import logs, spans
from .keeper import Keeper
from .otlp import post
from .policy import Policy
from .prepare import Ready
from .resource import SCOPE

Behind = TypeVar("Behind", LogRecordExporter, SpanExporter)


class _Guarded(Generic[Behind]):
    """An exporter with another one behind it, or with an endpoint, and a policy before both."""

    def __init__(
        self, policy: Policy | None = None, downstream: Behind | None = None, *, product: str = "", endpoint: str = ""
    ) -> None:
        self.policy = policy or Policy.of(product or setting("product"))
        self.downstream: Behind | None = downstream
        self.endpoint = endpoint
        self.keeper: Keeper | None = None

    def shutdown(self) -> None:
        """Shut the exporter behind down; or let a last sender take what waits."""
        if self.downstream is not None:
            self.downstream.shutdown()  # type: ignore[no-untyped-call,unused-ignore]
        try:
            if self.keeper is not None:
                self.keeper.close()
        except Exception as problem:
            swallow(problem)

    def _taken(self, signal: str, made: list[Any]) -> bool:
        """Whether what was made is on its way: over OTLP/HTTP to an endpoint, or in the spool."""
        assert self.policy.declared is not None  # or nothing would have been made
        if self.endpoint:
            return not post(signal, made, self.endpoint).error
        self.keeper = self.keeper or Keeper(self.policy.declared)
        return self.keeper.keep(signal, made)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return True


class PrivacyLogExporter(_Guarded[LogRecordExporter], LogRecordExporter):
    """Exports declared events, made anew by `policy`, through `downstream`; without one, over OTLP/HTTP to `endpoint`.

    Without an endpoint either they are written to the spool of the product, as a run of a command line writes them: there they
    survive this process, and the detached sender takes them to OTEL_BRIDGE_ENDPOINT or the product's own endpoint. Without a
    policy that of `product` holds, or of OTEL_BRIDGE_PRODUCT. Never raises. Source: https://opentelemetry.io/docs/specs/otel/logs/sdk/#logrecordexporter
    """

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export what may leave of these records."""
        try:
            made = _made(batch, self.policy.record, logs.to_otel, self.policy)
            if made and self.downstream is not None:
                return self.downstream.export(made)
            taken = not made or self._taken("logs", made)
        except Exception as problem:
            swallow(problem)
            taken = False
        return LogRecordExportResult.SUCCESS if taken else LogRecordExportResult.FAILURE


class PrivacySpanExporter(_Guarded[SpanExporter], SpanExporter):
    """Exports declared spans; everything else as `PrivacyLogExporter` does.

    Source: https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-exporter
    """

    def export(self, spans_: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export what may leave of these spans."""
        try:
            made = _made(spans_, self.policy.span, spans.to_otel, self.policy)
            if made and self.downstream is not None:
                return self.downstream.export(made)
            taken = not made or self._taken("traces", made)
        except Exception as problem:
            swallow(problem)
            taken = False
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE


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
