"""Find every mistake of a registry at once: each check has a name and says what, where and what to write instead.

Source of the form: https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.v2.md
"""

from collections.abc import Iterator
from datetime import date, datetime

from .groups import GROUPS, KEY, SAID, Groups
from .marked import Document, Marked, Mistake, listed, privacy_of, type_of
from .parameters import RULES
from .policies import EXPLAINING, FILLED, OURS, POLICIES
from .product import Product
from .reserved import reserved

TYPES = ("string", "string[]", "int", "double", "boolean")
SECTIONS = ("file_format", "attributes", "events", "spans", "entities", "imports", "metrics")
_ATTRIBUTE = (*SAID, "key", "type", "examples")


def lint(document: Document, builtin: Document, product: Product, today: date) -> list[Mistake]:
    """The mistakes of a document in the order of its lines, the duplicate keys of its YAML included."""
    found = [*document.mistakes, *_Lint(document, builtin, product, today).run()]
    return sorted(found, key=lambda mistake: (mistake.line, mistake.message))


class _Lint(Groups):
    """The checks of attributes, and of the document as a whole."""

    def run(self) -> Iterator[Mistake]:
        root = self.root
        if root.get("file_format") != "definition/2":
            yield self._mistake(root, "file_format", "file-format", "`file_format` must be definition/2")
        yield from self._known("the file", root, SECTIONS)
        yield from self._list("the file", root, ("attributes", "events", "spans", "entities"))
        yield from self._all_attributes()
        for section in GROUPS:
            yield from self._all_groups(section)

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
            yield self._mistake(privacy, "policy", "unknown-policy", what + self._instead(policy, offered))
        else:
            yield from self._parameters(key, one, privacy, policy)
        for needed, why in (
            ("purpose", "the question that it answers"),
            ("owner", "who answers for it"),
            ("category", "what the person may refuse as a whole"),
        ):
            if not isinstance(privacy.get(needed), str) or not privacy[needed]:
                yield self._mistake(privacy, needed, f"missing-{needed}", f"`{key}` has no {needed}; write `{needed}: ...`, {why}")
        yield from self._expiry(key, privacy)

    def _expiry(self, key: str, privacy: Marked) -> Iterator[Mistake]:
        said = privacy.get("expires")
        if said is None:
            return
        try:
            ends = said.date() if isinstance(said, datetime) else said if isinstance(said, date) else date.fromisoformat(str(said))
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
                message = f"`{key}`: {policy} takes no `{name}`{self._instead(name, takes)}"
                yield self._mistake(privacy, name, "unknown-parameter", message)
        for name in row.needed:
            if name not in privacy and not (name == "values" and members):
                message = f"`{key}`: {policy} needs `{name}`; write `{name}: ...`"
                yield self._mistake(privacy, "policy", "missing-parameter", message)
        yield from self._fitting(key, policy, kind, privacy)
