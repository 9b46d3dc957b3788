"""Find the mistakes of events, spans and entities, and of their refs to attributes."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..kinds import SPAN_KINDS
from .finder import Finder
from .marked import Marked, Mistake, listed, privacy_of, type_of
from .parameters import RULES, widened
from .policies import DEFAULTS, OF_A_PLACE, OURS, POLICIES
from .registry import RATE, RUN

KEY = re.compile(r"[a-z][a-z0-9_]*([.][a-z0-9_]+)*")
SAID = ("stability", "brief", "note", "annotations", "deprecated", "requirement_level")
_REFERENCE = (*SAID, "ref", "examples", "role", "sampling_relevant")


class Section(NamedTuple):
    """A section of groups: which key names a group, which hold refs, which keys and words of ours it has besides."""

    name: str
    called: str
    places: tuple[str, ...]
    keys: tuple[str, ...]
    ours: tuple[str, ...]


GROUPS = (
    Section("events", "name", ("attributes",), ("entity_associations", "body"), ("category", "sample_rate", "command", "note")),
    Section("spans", "type", ("attributes",), ("kind", "entity_associations", "events"), ("category", "scope", "note")),
    Section("entities", "type", ("identity", "description"), (), ("note",)),
)


def commands_of(privacy: Marked) -> tuple[object, ...]:
    """The paths of the commands at whose end an event is recorded, as its `command` says: one, or a list."""
    said = privacy.get("command", [])
    return tuple(said) if isinstance(said, list) else (said,)


class Groups(Finder):
    """The checks of everything that refers to attributes."""

    def _all_groups(self, section: Section) -> Iterator[Mistake]:
        extends = section.name == "spans"  # a product adds to the run's own span, once
        seen: dict[str, str] = {} if section.name == "entities" else self.names  # events and spans have one name space
        for group in listed(self.root, section.name):
            called = str(group.get(section.called, ""))
            at = (group, section.called)
            if not called:
                yield self._mistake(*at, "missing-name", f"one of the {section.name} has no `{section.called}`; name it")
            elif extends and called == RUN:
                extends = False
            elif called in seen:
                yield self._mistake(
                    *at, "duplicate-key", f"`{called}` is declared a second time ({seen[called]}); rename one of them"
                )
            elif not KEY.fullmatch(called):
                message = f"`{called}`: a name is lower-case words with dots and underscores, as `product.verb`"
                yield self._mistake(*at, "name", message)
            seen.setdefault(called, f"first on line {group.at(section.called)}")
            yield from self._known(f"`{called}`", group, (*SAID, section.called, *section.places, *section.keys, "name"))
            yield from self._list(f"`{called}`", group, section.places)
            yield from self._group(called, group, section)
            references = [reference for place in section.places for reference in listed(group, place)]
            beside = [str(reference.get("ref", "")) for reference in references]
            for number, reference in enumerate(references):
                if beside[number] in beside[:number]:
                    message = f"`{called}` refers to `{beside[number]}` a second time; delete one of them"
                    yield self._mistake(reference, "ref", "duplicate-ref", message)
                yield from self._reference(called, reference, beside)
        if section.name == "events":
            yield from self._commands()

    def _commands(self) -> Iterator[Mistake]:
        """Whether each `command` of an event names commands that are declared, and no other event is recorded with them."""
        of_run = [one for span in listed(self.root, "spans") if span.get("type") == RUN for one in listed(span, "attributes")]
        found = [(privacy_of(one) or Marked()).get("values") for one in of_run if one.get("ref") == "otel_bridge.command"]
        known = tuple(str(one) for values in found if isinstance(values, list) for one in values)
        recorded: dict[str, str] = {}
        for event in listed(self.root, "events"):
            privacy, called = privacy_of(event) or Marked(), str(event.get("name", ""))
            paths = [one for one in commands_of(privacy) if isinstance(one, str)]
            if "command" in privacy and (not paths or len(paths) < len(commands_of(privacy))):
                message = f"`{called}`: `command` must be the path of a command, as `remote add`, or a list of them"
                yield self._mistake(privacy, "command", "parameter", f'{message}; `""` is a run without a sub-command')
            for path in paths:
                if path and path not in known:
                    values = "; give `otel_bridge.command` in the span `cli.run` its `values`"
                    message = f"`{called}`: `{path}` is no value of `otel_bridge.command`"
                    message += self._instead(path, known) if known else values
                    yield self._mistake(privacy, "command", "unknown-command", message)
                elif path in recorded:
                    message = f"""`{called}`: `{path or '""'}` has an event already, {recorded[path]}; delete it from one of them"""
                    yield self._mistake(privacy, "command", "duplicate-command", message)
                recorded.setdefault(path, f"`{called}` on line {privacy.at('command')}")

    def _group(self, called: str, group: Marked, section: Section) -> Iterator[Mistake]:
        """What stands in the group's own `annotations.privacy`, and the kind of a span."""
        privacy = privacy_of(group) or Marked()
        yield from self._ours(f"`{called}`", group)
        yield from self._known(f"`{called}`, in `privacy`,", privacy, section.ours)
        if "category" in privacy and not RULES["category"][1](privacy["category"]):
            yield self._mistake(privacy, "category", "parameter", f"`{called}`: `category` must be {RULES['category'][0]}")
        rate = privacy.get("sample_rate", 1)
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate <= 1 or rate != round(rate, 4):
            message = f"`{called}`: `sample_rate` must be a number above 0, at most 1, with up to four decimals"
            yield self._mistake(privacy, "sample_rate", "sample-rate", message)
        if section.name == "spans" and group.get("kind", "internal") not in SPAN_KINDS:
            yield self._mistake(group, "kind", "kind", f"`{called}`: `kind` must be one of {', '.join(sorted(SPAN_KINDS))}")

    def _reference(self, group: str, reference: Marked, beside: list[str]) -> Iterator[Mistake]:
        key = str(reference.get("ref", ""))
        yield from self._ours(f"`{key}` in `{group}`", reference)
        yield from self._known(f"`{key}` in `{group}`", reference, _REFERENCE)
        if key not in self.attributes and key not in self.builtin:
            known = (*self.attributes, *self.builtin)
            message = f"`{group}` refers to `{key}`, which is not declared{self._instead(key, known)}"
            yield self._mistake(reference, "ref", "undeclared-ref", message)
            return
        of_key = privacy_of(self.builtin.get(key, Marked())) or privacy_of(self.attributes.get(key, Marked())) or Marked()
        if key in self.builtin and (of_key.get("policy") in OURS or key == RATE):
            message = f"`{group}` refers to `{key}`, which otel-bridge alone fills in; delete the ref"
            yield self._mistake(reference, "ref", "built-in", message)
        privacy = privacy_of(reference)
        requires = str({**of_key, **(privacy or {})}.get("requires", ""))
        if requires and requires not in beside and not (key in self.builtin and requires in self.builtin):
            message = f"`{key}` in `{group}` requires `{requires}`, which does not stand beside it; refer to that too"
            yield self._mistake(reference, "ref", "requires", message)
        if privacy:
            if "policy" in privacy:
                message = f"`{key}` in `{group}`: the policy stands with the attribute; a ref may only narrow its parameters"
                yield self._mistake(privacy, "policy", "policy-in-ref", message)
                return
            policy = str(of_key.get("policy", ""))
            takes = (*(POLICIES[policy].parameters if policy in POLICIES else privacy), *OF_A_PLACE)
            yield from self._known(f"`{key}` in `{group}`, in `privacy`,", privacy, takes)
            yield from self._fitting(key, policy, type_of(self.attributes.get(key) or self.builtin[key])[0], privacy)
            members = type_of(self.attributes.get(key, Marked()))[1]
            for name in widened({"values": list(members), **DEFAULTS.get(policy, {}), **of_key}, privacy):
                message = f"`{key}` in `{group}`: `{name}` allows more than the attribute does; a ref may only narrow it"
                yield self._mistake(privacy, name, "wider", message)
