"""Write the collector's privacy step from the registries: the third of the three privacy checks, for whoever posts past the client.

What each part is for was measured on a genuine collector; the comments in the file say it.
"""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..consent.agreed import RATE, RUN
from ..consent.identity import UUID
from ..kinds import SPAN_KINDS
from ..privacy.form import DAY, HASH, WEEK
from ..schema import Field, Registry
from ..schema.compile import COMPILED_IN
from ..schema.reserved import MASKS

_NUMBERS = "[0-9]{{1,5}}([.][0-9]{{1,5}}){{0,{}}}"
_NAME = "[A-Za-z0-9@_-][A-Za-z0-9_./@+-]{{0,{}}}"  # in a list RE2 can count to 60 for each of 16
# A list is matched as its JSON text, in which Go writes `<` as \u003c. 60 times 16 is what RE2 counts at most.
_LESS, _MORE = r"(<|\\\\u003c)", r"(>|\\\\u003e)"
_FRAME = f"{_LESS}private{_MORE}|[A-Za-z_][A-Za-z0-9_.]{{0,59}}:([A-Za-z0-9_.]|{_LESS}|{_MORE}){{1,60}}:[0-9]{{1,7}}"
_SHAPES = {"identifier": UUID.pattern, "pseudonym": HASH.pattern, "frames": _FRAME}
_SPECIAL = ".+*?()[]{}|$"
_OPT_OUT = "otel_bridge.opt_out"
# What carries no declaration is constant or empty: text, and every number but times, trace and span ids, which stay the client's.
_CONSTANT = {
    "resource": ('set(resource.schema_url, "")',),
    "scope": (
        "keep_keys(scope.attributes, [])",
        'set(scope.name, "__other__") where scope.name != "otel_bridge"',
        f'set(scope.version, "") where not IsMatch(scope.version, "^{_NUMBERS.format(2)}$")',
        'set(scope.schema_url, "")',
    ),
    "log": (
        'set(log.severity_text, "")',
        "set(log.severity_number, 9)",
        "set(log.observed_time_unix_nano, log.time_unix_nano)",
        "set(log.flags, 0)",
        "set(log.dropped_attributes_count, 0)",
        "set(log.body, log.event_name)",
    ),
    "span": (
        'set(span.status.message, "")',
        'set(span.trace_state, "")',
        "set(span.kind, 1)",
        "set(span.dropped_attributes_count, 0)",
        "set(span.dropped_events_count, 0)",
        "set(span.dropped_links_count, 0)",
    ),
}
Public = tuple[str, ...] | None  # the names of a product's registry; None when it is a digest
Named = tuple[Field, Public]


def render(registries: Sequence[Registry]) -> str:
    """The text of `privacy.yaml` for the products of these registries; the same registries always give the same text."""
    resource = _joined((field, one) for one in registries for field in one.resource)
    logs = _joined((field, one) for one in registries for event in one.events for field in (*one.common, *event.fields))
    spans = _joined(
        (field, one) for one in registries for part in (one.span, *(span.fields for span in one.spans)) for field in part
    )
    key = "log.record.uid"
    uid = f"{_kept('log', key)} where {_string('log', key)} and {_matches('log', key, UUID.pattern)}"
    rate = f'{_kept("log", RATE)} where IsDouble(log.attributes["{RATE}"]) and log.attributes["{RATE}"] > 0.0'  # of any release
    rate += f" and {_matches('log', RATE, '1|0[.][0-9]{1,4}')}"
    of_log = [*_rebuilt("log", logs, uid, rate), *_CONSTANT["log"]]
    named = {span.name: span.kind for one in registries for span in one.spans}
    kinds = [f'set(span.kind, {SPAN_KINDS.index(kind) + 1}) where span.name == "{name}"' for name, kind in sorted(named.items())]
    of_span = [*_rebuilt("span", spans), *_CONSTANT["span"], *kinds]
    after = [("scope", list(_CONSTANT["scope"])), ("resource", [*_rebuilt("resource", resource), *_CONSTANT["resource"]])]
    keys = sorted({field.key for fields in (resource, logs, spans) for field, _ in fields} | {"log.record.uid", RATE, _OPT_OUT})
    events = sorted({event.name for one in registries for event in one.events})
    return _TEXT.format(
        products=", ".join(sorted(one.product.product for one in registries)),
        logs=_groups([("log", of_log), *after]),
        traces=_groups([("span", of_span), *after]),
        keys="\n".join(f"      - {key}" for key in keys),
        blocked="\n".join(f"      - {json.dumps(pattern)}" for pattern in MASKS),
        events=_any(events),
        spans=_any([RUN, *named]),
    )


def _joined(fields: Iterable[tuple[Field, Registry]]) -> list[Named]:
    """Each declared form of each attribute once, in the order of their keys: what one product's form lets through, passes."""
    distinct = {}
    for field, registry in fields:
        names = registry.names.get(str(field.parameters[0])) if field.policy == "registry" else ()
        if field.policy != "drop" and field.key != RATE:
            distinct[(field.key, field.type, field.policy, field.parameters, names)] = (field, names)
    return [distinct[key] for key in sorted(distinct, key=str)]


def _rebuilt(context: str, fields: list[Named], *more: str) -> list[str]:
    """Statements that rebuild the attributes of a context from the declaration.

    Rebuilt, not deleted from: of two attributes with the same key OTTL sees and deletes the first only.
    """
    kept = [f"{_kept(context, field.key)} where {_condition(context, field, names)}" for field, names in fields]
    maps = (
        [f"{context}.attributes"] if context == "resource" else [f"{context}.attributes", "scope.attributes", "resource.attributes"]
    )
    refused = [f'set({context}.cache["{_OPT_OUT}"], true) where ContainsValue(Keys({one}), "{_OPT_OUT}")' for one in maps]
    return [*kept, *more, *refused, f"set({context}.attributes, {context}.cache)"]


def _kept(context: str, key: str) -> str:
    return f'set({context}.cache["{key}"], {context}.attributes["{key}"])'


def _string(context: str, key: str) -> str:
    return f'IsString({context}.attributes["{key}"])'


def _matches(context: str, key: str, pattern: str) -> str:
    return f'IsMatch({context}.attributes["{key}"], "^({pattern})$")'


def _condition(context: str, field: Field, names: Public) -> str:
    place = f'{context}.attributes["{field.key}"]'
    if field.policy == "boolean":
        return f"IsBool({place})"
    if field.policy == "count":
        return f"IsInt({place}) and {place} >= 0 and {place} <= {field.parameters[0]}"
    if field.policy == "bucket":
        kind = "IsInt" if field.type == "int" else "IsDouble"
        assert isinstance(field.parameters[0], tuple)
        return f"{kind}({place}) and ({' or '.join(f'{place} == {_number(bound)}' for bound in field.parameters[0])})"
    pattern = _pattern(field, names)
    if field.type == "string[]":  # IsMatch sees a list as its JSON text
        member = f'\\"({pattern})\\"'
        return f'IsList({place}) and IsMatch({place}, "^\\\\[({member}(,{member}){{0,15}})?\\\\]$")'
    return f"{_string(context, field.key)} and {_matches(context, field.key, pattern)}"


def _pattern(field: Field, public: Public) -> str:
    """The strings that a policy leaves, as a pattern of RE2."""
    if field.policy in _SHAPES:
        return _SHAPES[field.policy]
    if field.policy == "day":
        return (DAY if field.parameters[0] == "day" else WEEK).pattern
    if field.policy == "version":
        return _NUMBERS.format(int(str(field.parameters[0])) - 1)
    placeholder = str(field.parameters[1])
    if field.policy == "registry":
        if public is None or len(public) > COMPILED_IN:
            return f"{_any([placeholder, '__other__'])}|{_NAME.format(60 if field.type == 'string[]' else 213)}"
        return _any([*public, placeholder, "__other__"])
    values = field.parameters[0]
    assert isinstance(values, tuple)
    return _any([*map(str, values), placeholder])


def _number(bound: object) -> str:
    """A number as OTTL reads it, which knows no exponent without a point."""
    text = f"{Decimal(repr(bound)):f}"
    return text if isinstance(bound, int) or "." in text else text + ".0"


def _any(values: Iterable[str]) -> str:
    """A pattern that matches exactly these strings; `check` lets none pass that has a quote, a backslash or a caret."""
    return "|".join("".join(f"[{c}]" if c in _SPECIAL else c for c in value) for value in sorted(set(values)))


def _groups(groups: list[tuple[str, list[str]]]) -> str:
    lines = []
    for context, statements in groups:
        lines += [f"      - context: {context}", "        statements:"]
        lines += ["          - '" + statement.replace("'", "''") + "'" for statement in statements]
    return "\n".join(lines)


_TEXT = """\
# GENERATED from the registries of: {products}. `make generate` writes it; do not edit. Privacy of every intake, for every sink.
# Always the LAST --config: lists are replaced by later files, so nothing that came before can shorten what stands here.

processors:
  # 0. What carries none of our marks, before anything is spent on it: 87,000 records `{{}}`, 430 bytes of
  #    gzip, cost 0.31 s of CPU without this step and 0.02 s with it (measured).
  filter/empty:
    error_mode: propagate
    logs:
      log_record:
        - attributes["log.record.uid"] == nil or resource.attributes["service.name"] == nil
    traces:
      span:
        - trace_id.string == "" or span_id.string == "" or resource.attributes["service.name"] == nil

  # 1. Attributes are rebuilt from the declaration: declared type and declared values, or absent. No map, no bytes.
  #    One group per context, never flat: in a flat list the collector infers ONE context for all statements, and with a
  #    `spanevent.` path among them it runs none of them for a span without events (measured: status message, trace state and
  #    every attribute of such spans passed untouched).
  transform/shape:
    error_mode: propagate            # default up to v0.145, `ignore` (fail open) in newer releases: always say it
    log_statements:
{logs}
    trace_statements:
{traces}

  # 2. Rebuilds every resource from its attributes: entity references and schema URLs are text that no OTTL path reaches.
  groupbyattrs/rebuild: {{}}

  # 3. A second wall: allow-list of keys, and masks. After transform/shape, never before it: redaction serialises a nested body
  #    at every depth, and one 1 MB request (a few kB of gzip) with a 36,000-deep body took 8.6 s and 4.5 GB (measured).
  redaction:
    allow_all_keys: false
    allowed_keys:
{keys}
    redact_all_types: true
    blocked_values:
{blocked}
    summary: silent

  # 4. What cannot be repaired is dropped (otelcol_processor_filter_logs_filtered and _spans_filtered count it).
  #    Nested form: every release understands it; `log_conditions:` needs v0.146.
  filter/refuse:
    error_mode: propagate
    logs:
      log_record:
        - resource.attributes["service.name"] == nil or resource.attributes["service.version"] == nil
        - not IsMatch(event_name, "^({events})$")
        - attributes["otel_bridge.opt_out"] != nil or resource.attributes["otel_bridge.opt_out"] != nil
        - attributes["log.record.uid"] == nil      # also against amplification: 1.3 kB of gzip became 53 MB without it
        # After tomorrow; before 2020, none at all, or from 2^63 on.
        - time_unix_nano > UnixNano(Now()) + 86400000000000 or time_unix_nano < 1577836800000000000
    traces:
      span:
        - resource.attributes["service.name"] == nil or resource.attributes["service.version"] == nil
        - not IsMatch(name, "^({spans})$")
        - attributes["otel_bridge.opt_out"] != nil or resource.attributes["otel_bridge.opt_out"] != nil
        - trace_id.string == "" or span_id.string == ""
        - Len(links) > 0
        - end_time_unix_nano > UnixNano(Now()) + 86400000000000 or start_time_unix_nano < 1577836800000000000
      spanevent:
        - 'true'                                   # a run has no span events

service:
  pipelines:
    logs/intake:
      receivers: [otlp]
      processors: [memory_limiter, filter/empty, transform/shape, groupbyattrs/rebuild, redaction, filter/refuse]
      exporters: [forward/intake]
    traces/intake:
      receivers: [otlp]
      processors: [memory_limiter, filter/empty, transform/shape, groupbyattrs/rebuild, redaction, filter/refuse]
      exporters: [forward/intake]
"""
