"""What people would write with the OpenTelemetry SDK alone: the same argparse run, its span and its event over OTLP/gRPC."""

import os
import signal
import sys

from kitchen.bare import argparse_main
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

endpoint = os.environ["OTEL_BRIDGE_ENDPOINT"]
resource = Resource.create({"service.name": "kitchen", "service.version": "3.6.0"})
tracing, logging = TracerProvider(resource=resource), LoggerProvider(resource=resource)
tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=True)))
logging.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=endpoint, insecure=True)))
with tracing.get_tracer("kitchen").start_as_current_span("cli.run", attributes={"otel_bridge.command": "create"}):
    code = argparse_main()
    attributes = {"kitchen.driver.name": "exec", "kitchen.platform": "debian-12", "kitchen.target": "bento/debian-12"}
    attributes["run"] = os.environ.get("BENCH_ID", "")
    record = LogRecord(
        event_name="kitchen.create", body="kitchen.create", severity_number=SeverityNumber.INFO, attributes=attributes
    )
    logging.get_logger("kitchen").emit(record)
    if "BENCH_KILL" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
tracing.shutdown()
logging.shutdown()
sys.exit(code)
