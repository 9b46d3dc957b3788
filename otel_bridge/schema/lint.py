"""Find every mistake of a registry at once: each check has a name and says what, where and what to write instead.

Source of the form: https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.v2.md
"""

import re
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from typing import NamedTuple

from .marked import Document, Marked, Mistake, listed, privacy_of, type_of
from .parameters import RULES, mistaken, widened
from .policies import EXPLAINING, FILLED, OF_A_PLACE, OURS, POLICIES
from .product import Product
from .reserved import reserved

NAMING = ("enum", "registry", "default_only")
TYPES = ("string", "string[]", "int", "double", "boolean")
KINDS = ("client", "consumer", "internal", "producer", "server")
SECTIONS = ("file_format", "attributes", "events", "spans", "entities", "imports", "metrics")
KEY = re.compile(r"[a-z][a-z0-9_]*([.][a-z0-9_]+)*")
_SAID = ("stability", "brief", "note", "annotations", "deprecated", "requirement_level")
_ATTRIBUTE = (*_SAID, "key", "type", "examples")
_REFERENCE = (*_SAID, "ref", "examples", "role", "sampling_relevant")


class Section(NamedTuple):
    """A section of groups: which key names a group, which hold refs, which keys and words of ours it has besides."""

    name: str
    called: str
    places: tuple[str, ...]
    keys: tuple[str, ...]
    ours: tuple[str, ...]


GROUPS = (
    Section("events", "name", ("attributes",), ("entity_associations", "body"), ("category", "sample_rate", "note")),
    Section("spans", "type", ("attributes",), ("kind", "entity_associations", "events"), ("category", "scope", "note")),
    Section("entities", "type", ("identity", "description"), (), ("note",)),
)


def lint(document: Document, builtin: Document, product: Product, today: date) -> list[Mistake]:
    """The mistakes of a document in the order of its lines, the duplicate keys of its YAML included."""
    found = [*document.mistakes, *_Lint(document, builtin, product, today).run()]
    return sorted(found, key=lambda mistake: (mistake.line, mistake.message))


class _Lint:
    def __init__(self, document: Document, builtin: Document, product: Product, today: date) -> None:
        self.file = document.file
        self.root = document.root
        self.product = product
        self.today = today
        self.builtin = {str(one.get("key")): one for one in listed(builtin.root, "attributes")}
        self.taken = {str(one.get("name")) for one in listed(builtin.root, "events")}
        self.attributes = {str(one.get("key")): one for one in listed(self.root, "attributes")}

    def run(self) -> Iterator[Mistake]:
        root = self.root
        if root.get("file_format") != "definition/2":
            yield self._mistake(root, "file_format", "file-format", "`file_format` must be definition/2")
        yield from self._known("the file", root, SECTIONS)
        yield from self._list("the file", root, ("attributes", "events", "spans", "entities"))
        yield from self._all_attributes()
        for section in GROUPS:
            yield from self._all_groups(section)

    def _mistake(self, at: Marked, key: str, check: str, message: str) -> Mistake:
        return Mistake(self.file, at.at(key), check, message)

    def _known(self, what: str, one: Marked, known: tuple[str, ...]) -> Iterator[Mistake]:
        for key in one:
            if key not in known:
                yield self._mistake(one, key, "unknown-key", f"{what} has no `{key}`{_instead(key, known)}")

    def _list(self, what: str, one: Marked, keys: tuple[str, ...]) -> Iterator[Mistake]:
        for key in keys:
            found = one.get(key, [])
            if not isinstance(found, list) or not all(isinstance(member, Marked) for member in found):
                yield self._mistake(one, key, "list", f"{what}: `{key}` must be a list of mappings; write `- ...` below it")

    def _all_attributes(self) -> Iterator[Mistake]:
        seen: dict[str, int] = {}
        for one in listed(self.root, "attributes"):
            key = one.get("key")
            if not isinstance(key, str):
                yield self._mistake(one, "key", "missing-key", "an attribute without `key`; name it, as `product.noun`")
                continue
            if key in seen:
                message = f"the attribute `{key}` is declared a second time (first on line {seen[key]}); delete one of them"
                yield self._mistake(one, "key", "duplicate-key", message)
                continue
            seen[key] = one.at("key")
            yield from self._attribute(key, one)

    def _attribute(self, key: str, one: Marked) -> Iterator[Mistake]:
        yield from self._known(f"`{key}`", one, _ATTRIBUTE)
        if not KEY.fullmatch(key):
            yield self._mistake(
                one, "key", "key", f"`{key}`: a key is lower-case words with dots and underscores, as `product.noun`"
            )
        privacy = privacy_of(one)
        if privacy is None and key in self.builtin:
            return  # redeclared bare: the built-in declaration holds
        if privacy is None:
            message = f"`{key}` has no policy; write `annotations: {{privacy: {{policy: drop, ...}}}}` to begin with"
            yield self._mistake(one, "key", "missing-policy", message)
        elif key in self.builtin:
            message = f"`{key}` is built in; declare it without `privacy`, and narrow it where you refer to it"
            yield self._mistake(privacy, "", "built-in", message)
        else:
            why = reserved(key)
            if why and privacy.get("policy") != "drop":
                message = f"`{key}` is reserved ({why}); declare a key of your own, or `policy: drop`"
                yield self._mistake(one, "key", "reserved-key", message)
            yield from self._declared(key, one, privacy)

    def _declared(self, key: str, one: Marked, privacy: Marked) -> Iterator[Mistake]:
        policy = str(privacy.get("policy", ""))
        offered = tuple(name for name in POLICIES if name not in OURS)
        if policy not in offered:
            what = f"`{key}`: `{policy}` is not a policy" if policy else f"`{key}` has no `policy`"
            yield self._mistake(privacy, "policy", "unknown-policy", what + _instead(policy, offered))
        else:
            yield from self._parameters(key, one, privacy, policy)
        for needed, why in (
            ("purpose", "the question that it answers"),
            ("owner", "who answers for it"),
            ("category", "what the person may refuse as a whole"),
        ):
            if not privacy.get(needed):
                yield self._mistake(privacy, needed, f"missing-{needed}", f"`{key}` has no {needed}; write `{needed}: ...`, {why}")
        yield from self._expiry(key, privacy)

    def _expiry(self, key: str, privacy: Marked) -> Iterator[Mistake]:
        said = privacy.get("expires")
        if said is None:
            return
        try:
            ends = said if isinstance(said, date) else date.fromisoformat(str(said))
        except ValueError:
            message = f'`{key}`: `expires` must be a date, as "2027-06-30"'
            yield self._mistake(privacy, "expires", "parameter", message)
            return
        if ends <= self.today:
            message = f"`{key}` has expired on {ends.isoformat()}; delete it, or ask anew and write a later date"
            yield self._mistake(privacy, "expires", "expired", message)

    def _parameters(self, key: str, one: Marked, privacy: Marked, policy: str) -> Iterator[Mistake]:
        row = POLICIES[policy]
        kind, members = type_of(one)
        if kind not in TYPES:
            message = f"`{key}`: type `{kind}` is not known; write one of {', '.join(TYPES)}"
            yield self._mistake(one, "type", "type", message)
        elif kind not in row.types:
            message = f"`{key}`: the policy {policy} needs the type {' or '.join(row.types)}, not {kind}"
            yield self._mistake(one, "type", "type", message)
        if isinstance(one.get("type"), Marked) and not (members and all(map(RULES["other"][1], members))):
            message = f"`{key}`: `type` needs `members`, each with a `value` that is {RULES['other'][0]}"
            yield self._mistake(one, "type", "type", message)
        takes = tuple(name for name in row.parameters if name not in FILLED) + EXPLAINING
        for name in privacy:
            if name not in takes:
                message = f"`{key}`: {policy} takes no `{name}`{_instead(name, takes)}"
                yield self._mistake(privacy, name, "unknown-parameter", message)
        for name in row.needed:
            if name not in privacy and not (name == "values" and members):
                message = f"`{key}`: {policy} needs `{name}`; write `{name}: ...`"
                yield self._mistake(privacy, "policy", "missing-parameter", message)
        yield from self._fitting(key, policy, kind, privacy)

    def _fitting(self, key: str, policy: str, kind: str, privacy: Marked) -> Iterator[Mistake]:
        for name, check, message in mistaken(policy, kind, privacy, self.product):
            yield self._mistake(privacy, name, check, f"`{key}`: {message}")
        if "requires" in privacy and not self._names_something(privacy["requires"]):
            message = f"`{key}`: `requires` must be an attribute whose policy is enum, registry or default_only, no list"
            yield self._mistake(privacy, "requires", "parameter", message)

    def _names_something(self, key: object) -> bool:
        """Whether an attribute tells a name, beside which a version may be told."""
        one = self.attributes.get(str(key)) or self.builtin.get(str(key))
        privacy = privacy_of(one) if one is not None else None
        return privacy is not None and privacy.get("policy") in NAMING and one is not None and type_of(one)[0] == "string"

    def _all_groups(self, section: Section) -> Iterator[Mistake]:
        seen: dict[str, int] = {}
        for group in listed(self.root, section.name):
            called = str(group.get(section.called, ""))
            at = (group, section.called)
            if not called:
                yield self._mistake(*at, "missing-name", f"one of the {section.name} has no `{section.called}`; name it")
            elif called in seen or (section.name == "events" and called in self.taken):
                where = f"first on line {seen[called]}" if called in seen else "otel-bridge has one of that name"
                yield self._mistake(*at, "duplicate-key", f"`{called}` is declared a second time ({where}); rename one of them")
            elif not KEY.fullmatch(called):
                message = f"`{called}`: a name is lower-case words with dots and underscores, as `product.verb`"
                yield self._mistake(*at, "name", message)
            seen.setdefault(called, group.at(section.called))
            yield from self._known(f"`{called}`", group, (*_SAID, section.called, *section.places, *section.keys, "name"))
            yield from self._list(f"`{called}`", group, section.places)
            yield from self._group(called, group, section)
            for place in section.places:
                for reference in listed(group, place):
                    yield from self._reference(called, reference)

    def _group(self, called: str, group: Marked, section: Section) -> Iterator[Mistake]:
        """What stands in the group's own `annotations.privacy`, and the kind of a span."""
        privacy = privacy_of(group) or Marked()
        yield from self._known(f"`{called}`, in `privacy`,", privacy, section.ours)
        if "category" in privacy and not RULES["category"][1](privacy["category"]):
            yield self._mistake(privacy, "category", "parameter", f"`{called}`: `category` must be {RULES['category'][0]}")
        rate = privacy.get("sample_rate", 1)
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate <= 1 or rate != round(rate, 4):
            message = f"`{called}`: `sample_rate` must be a number above 0, at most 1, with up to four decimals"
            yield self._mistake(privacy, "sample_rate", "sample-rate", message)
        if section.name == "spans" and group.get("kind", "internal") not in KINDS:
            yield self._mistake(group, "kind", "kind", f"`{called}`: `kind` must be one of {', '.join(KINDS)}")

    def _reference(self, group: str, reference: Marked) -> Iterator[Mistake]:
        key = str(reference.get("ref", ""))
        yield from self._known(f"`{key}` in `{group}`", reference, _REFERENCE)
        if key not in self.attributes and key not in self.builtin:
            known = (*self.attributes, *self.builtin)
            message = f"`{group}` refers to `{key}`, which is not declared{_instead(key, known)}"
            yield self._mistake(reference, "ref", "undeclared-ref", message)
            return
        privacy = privacy_of(reference)
        if privacy:
            if "policy" in privacy:
                message = f"`{key}` in `{group}`: the policy stands with the attribute; a ref may only narrow its parameters"
                yield self._mistake(privacy, "policy", "policy-in-ref", message)
                return
            declared = privacy_of(self.builtin.get(key, Marked())) or privacy_of(self.attributes.get(key, Marked())) or Marked()
            policy = str(declared.get("policy", ""))
            takes = (*(POLICIES[policy].parameters if policy in POLICIES else privacy), *OF_A_PLACE)
            yield from self._known(f"`{key}` in `{group}`, in `privacy`,", privacy, takes)
            yield from self._fitting(key, policy, type_of(self.attributes.get(key) or self.builtin[key])[0], privacy)
            for name in widened(declared, privacy):
                message = f"`{key}` in `{group}`: `{name}` allows more than the attribute does; a ref may only narrow it"
                yield self._mistake(privacy, name, "wider", message)


def _instead(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; write `{close[0]}`?" if close else "; known are " + ", ".join(known) if len(known) < 12 else ""
