"""The kinds of a span, for whoever declares one, writes one down or checks one on its way."""

SPAN_KINDS = ("internal", "server", "client", "producer", "consumer")  # as OTLP numbers them, from 1
