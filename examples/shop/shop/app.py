"""Take orders; instrumented by FastAPI's own instrumentation, and telling its authors what `telemetry.yaml` declares."""

import os

os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")  # the stable names of attributes: http.route and so on

from fastapi import FastAPI, HTTPException, Request
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_bridge.export.exporters import PrivacyLogExporter, PrivacySpanExporter
from otel_bridge.export.processors import Policy, PrivacyLogRecordProcessor, PrivacySpanProcessor

policy = Policy.of("shop")  # the declaration of this package, and whether anybody may be told
traces = TracerProvider(shutdown_on_exit=False)
traces.add_span_processor(PrivacySpanProcessor(policy, BatchSpanProcessor(PrivacySpanExporter(policy))))
logs = LoggerProvider(shutdown_on_exit=False)
logs.add_log_record_processor(PrivacyLogRecordProcessor(policy, BatchLogRecordProcessor(PrivacyLogExporter(policy))))
tracer, logger = traces.get_tracer("shop"), logs.get_logger("shop")


async def stop(app: FastAPI):
    """Send what waits when the service ends."""
    yield
    traces.shutdown()
    logs.shutdown()


app = FastAPI(lifespan=stop)
FastAPIInstrumentor.instrument_app(app, tracer_provider=traces)


@app.post("/orders")
async def order(request: Request) -> dict[str, float]:
    """Take an order: `{"customer": ..., "items": [...], "payment": ...}`."""
    wanted = await request.json()
    with tracer.start_as_current_span("shop.price") as span:
        span.set_attributes({"shop.items": len(wanted["items"]), "shop.customer": wanted["customer"]})
        price = 9.5 * len(wanted["items"])
    told = {"shop.items": len(wanted["items"]), "shop.payment": wanted["payment"], "shop.customer": wanted["customer"]}
    logger.emit(event_name="shop.order", body=f"{wanted['customer']} ordered", attributes=told)
    logger.emit(event_name="shop.greeting", body=f"hello {wanted['customer']}")
    return {"price": price}


@app.get("/orders/{number}")
async def show(number: str) -> dict[str, str]:
    """Show an order; no order has been kept."""
    with tracer.start_as_current_span(f"look for {number}"):
        raise HTTPException(404, f"no order {number}")
