"""Find every mistake of a registry at once: each check has a name and says what, where and what to write instead."""

import math
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from .marked import Document, Marked, Mistake
from .policies import EXPLAINING, OURS, POLICIES, PRECISION
from .product import Product

NAMING = ("enum", "registry", "default_only")
TYPES = ("string", "string[]", "int", "double", "boolean")
_KEY = re.compile(r"[a-z][a-z0-9_]*([.][a-z0-9_]+)*")
SECTIONS = ("file_format", "attributes", "events", "spans", "entities", "imports", "metrics")


def lint(document: Document, builtin: Document, product: Product) -> list[Mistake]:
    """The mistakes of a document in the order of its lines, the duplicate keys of its YAML included."""
    found = [*document.mistakes, *_Lint(document, builtin, product).run()]
    return sorted(found, key=lambda mistake: (mistake.line, mistake.message))


class _Lint:
    def __init__(self, document: Document, builtin: Document, product: Product) -> None:
        self.file = document.file
        self.root = document.root
        self.product = product
        self.builtin = {str(one.get("key")): one for one in listed(builtin.root, "attributes")}
        self.attributes = {str(one.get("key")): one for one in listed(self.root, "attributes")}

    def run(self) -> Iterator[Mistake]:
        root = self.root
        if root.get("file_format") != "definition/2":
            yield self._mistake(root.at("file_format"), "file-format", "`file_format` must be definition/2")
        for key in root:
            if key not in SECTIONS:
                yield self._mistake(root.at(key), "unknown-key", f"`{key}` is not known here{_instead(key, SECTIONS)}")
        yield from self._all_attributes()
        yield from self._all_groups("events", "name", "attributes")
        yield from self._all_groups("spans", "type", "attributes")
        yield from self._all_groups("entities", "type", "identity", "description")

    def _mistake(self, line: int, check: str, message: str) -> Mistake:
        return Mistake(self.file, line, check, message)

    def _all_attributes(self) -> Iterator[Mistake]:
        seen: dict[str, int] = {}
        for one in listed(self.root, "attributes"):
            key = one.get("key")
            if not isinstance(key, str):
                yield self._mistake(one.line, "missing-key", "an attribute without `key`; name it, as `product.noun`")
                continue
            line = one.at("key")
            if not _KEY.fullmatch(key):
                message = f"`{key}`: a key is lower-case words with dots and underscores, as `product.noun`"
                yield self._mistake(line, "key", message)
            if key in seen:
                message = f"the attribute `{key}` is declared a second time (first on line {seen[key]}); delete one of them"
                yield self._mistake(line, "duplicate-key", message)
                continue
            seen[key] = line
            privacy = privacy_of(one)
            if privacy is None and key in self.builtin:
                continue  # redeclared bare: the built-in declaration holds
            if privacy is None:
                message = f"`{key}` has no policy; write `annotations: {{privacy: {{policy: drop, ...}}}}` to begin with"
                yield self._mistake(line, "missing-policy", message)
                continue
            if key in self.builtin:
                message = f"`{key}` is built in; declare it without `privacy`, and narrow it where you refer to it"
                yield self._mistake(privacy.line, "built-in", message)
                continue
            yield from self._declared(key, one, privacy)

    def _declared(self, key: str, one: Marked, privacy: Marked) -> Iterator[Mistake]:
        policy = privacy.get("policy")
        line = privacy.at("policy")
        if policy not in POLICIES or policy in OURS:
            what = f"`{key}`: `{policy}` is not a policy" if policy else f"`{key}` has no `policy`"
            yield self._mistake(
                line, "unknown-policy", f"{what}{_instead(str(policy), tuple(one for one in POLICIES if one not in OURS))}"
            )
        else:
            yield from self._parameters(key, one, privacy, str(policy))
        for needed, why in (("purpose", "the question that it answers"), ("owner", "who answers for it")):
            if not privacy.get(needed):
                message = f"`{key}` has no {needed}; write `{needed}: ...`, {why}"
                yield self._mistake(privacy.at(needed), f"missing-{needed}", message)

    def _parameters(self, key: str, one: Marked, privacy: Marked, policy: str) -> Iterator[Mistake]:
        row = POLICIES[policy]
        kind, members = type_of(one)
        if kind not in TYPES:
            yield self._mistake(one.at("type"), "type", f"`{key}`: type `{kind}` is not known; write one of {', '.join(TYPES)}")
        elif kind not in row.types:
            message = f"`{key}`: the policy {policy} needs the type {' or '.join(row.types)}, not {kind}"
            yield self._mistake(one.at("type"), "type", message)
        for name in privacy:
            if name not in row.parameters and name not in EXPLAINING:
                message = f"`{key}`: {policy} takes no `{name}`{_instead(name, (*row.parameters, *EXPLAINING))}"
                yield self._mistake(privacy.at(name), "unknown-parameter", message)
        for name in row.needed:
            if name not in privacy and not (name == "values" and members):
                yield self._mistake(
                    privacy.at("policy"), "missing-parameter", f"`{key}`: {policy} needs `{name}`; write `{name}: ...`"
                )
        yield from self._values(key, privacy)

    def _values(self, key: str, privacy: Marked) -> Iterator[Mistake]:
        rules: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
            ("values", 'a list of strings without any of " \\ ^', lambda v: isinstance(v, list) and all(map(_member, v))),
            ("other", 'a string without any of " \\ ^', _member),
            ("bounds", "a list of finite numbers", lambda v: isinstance(v, list) and bool(v) and all(map(_number, v))),
            ("max", "a whole number above 0", lambda v: isinstance(v, int) and not isinstance(v, bool) and v > 0),
            ("precision", "one of " + ", ".join(PRECISION), lambda v: str(v) in PRECISION),
            (
                "registry",
                f"one of {', '.join(self.product.registries) or '(none yet)'}",
                lambda v: str(v) in self.product.registries,
            ),
            ("requires", "an attribute whose policy is enum, registry or default_only, no list", self._names_something),
        )
        for name, what, good in rules:
            if name in privacy and not good(privacy[name]):
                yield self._mistake(privacy.at(name), "parameter", f"`{key}`: `{name}` must be {what}")

    def _names_something(self, key: object) -> bool:
        """Whether an attribute tells a name, beside which a version may be told."""
        one = self.attributes.get(str(key)) or self.builtin.get(str(key))
        privacy = privacy_of(one) if one is not None else None
        return privacy is not None and privacy.get("policy") in NAMING and one is not None and type_of(one)[0] == "string"

    def _all_groups(self, section: str, name: str, *places: str) -> Iterator[Mistake]:
        seen: dict[str, int] = {}
        for group in listed(self.root, section):
            called = str(group.get(name, ""))
            if not called:
                yield self._mistake(group.line, "missing-name", f"one of the {section} has no `{name}`; name it")
            elif called in seen:
                message = f"`{called}` is declared a second time (first on line {seen[called]}); delete one of them"
                yield self._mistake(group.at(name), "duplicate-key", message)
            seen.setdefault(called, group.at(name))
            for place in places:
                for reference in listed(group, place):
                    yield from self._reference(called, reference)

    def _reference(self, group: str, reference: Marked) -> Iterator[Mistake]:
        key = str(reference.get("ref", ""))
        if key not in self.attributes and key not in self.builtin:
            known = (*self.attributes, *self.builtin)
            message = f"`{group}` refers to `{key}`, which is not declared{_instead(key, known)}"
            yield self._mistake(reference.at("ref"), "undeclared-ref", message)
            return
        privacy = privacy_of(reference)
        if privacy:
            if "policy" in privacy:
                message = f"`{key}`: a ref cannot change the policy; change it where the attribute is declared"
                yield self._mistake(privacy.at("policy"), "ref-policy", message)
            yield from self._values(key, privacy)


def listed(mapping: Marked, key: str) -> list[Marked]:
    """The mappings of a list in a mapping; anything else in it is passed over."""
    found = mapping.get(key)
    return [one for one in found if isinstance(one, Marked)] if isinstance(found, list) else []


def privacy_of(one: Marked) -> Marked | None:
    """Our part of an attribute or a ref: `annotations.privacy`."""
    annotations = one.get("annotations")
    found = annotations.get("privacy") if isinstance(annotations, Marked) else None
    return found if isinstance(found, Marked) else None


def type_of(one: Marked) -> tuple[str, tuple[str, ...]]:
    """The type of an attribute and, of an enum, its members."""
    kind = one.get("type")
    if isinstance(kind, Marked):
        return "string", tuple(str(member.get("value")) for member in listed(kind, "members"))
    return str(kind), ()


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _member(value: object) -> bool:
    """A string that stands as itself in the patterns of the collector."""
    return isinstance(value, str) and value.isprintable() and not set(value) & set('"\\^')


def _instead(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; write `{close[0]}`?" if close else "; known are " + ", ".join(known) if len(known) < 12 else ""
