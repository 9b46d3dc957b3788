"""The SDK's own way for N events: BatchLogRecordProcessor and the OTLP/HTTP exporter; prints the seconds that the calls took.

Words: the base URL, N, `flush` (wait after each batch, so that its queue of 2,048 is never full) or `burst`, and a file with the
attributes of one of our recorded events. Everything else is as the SDK has it.
"""

import json
import sys
import time
import uuid
from pathlib import Path

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

BATCH = 512  # records in a request of the SDK's
endpoint, number, way, example = sys.argv[1:]
told = json.loads(Path(example).read_text())
provider = LoggerProvider(resource=Resource(told["resource"]), shutdown_on_exit=False)
provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")))
logger = provider.get_logger("otel_bridge")
began = time.perf_counter()
for sequence in range(int(number)):
    moment = time.time_ns()
    attributes = {**told["attributes"], "otel_bridge.sequence": sequence, "log.record.uid": str(uuid.uuid4())}
    logger.emit(
        LogRecord(
            timestamp=moment,
            observed_timestamp=moment,
            severity_number=SeverityNumber.INFO,
            body="kitchen.create",
            attributes=attributes,
            event_name="kitchen.create",
        )
    )
    if way == "flush" and sequence % BATCH == BATCH - 1:
        provider.force_flush()
print(time.perf_counter() - began)
provider.shutdown()
