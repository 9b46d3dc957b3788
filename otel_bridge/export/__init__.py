"""SAY IT IN OTEL: read the spool back, check it once more, rebuild it as OpenTelemetry's own objects and ship it."""
