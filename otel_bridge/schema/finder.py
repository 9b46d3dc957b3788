"""Say a mistake with its line, and whether a mapping has only the keys that it may have: what all checks of a registry share."""

from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches

from .marked import Document, Marked, Mistake, listed, privacy_of, type_of
from .parameters import mistaken
from .product import Product
from .registry import RUN

NAMING = ("enum", "registry", "default_only")
SUGGESTIONS = 50  # mistakes for which a near word is looked for: a millisecond each among a thousand keys


class Finder:
    """A document at hand, with what it declares and what is built in."""

    def __init__(self, document: Document, builtin: Document, product: Product, today: date) -> None:
        self.file = document.file
        self.root = document.root
        self.product = product
        self.today = today
        self.suggestions = SUGGESTIONS
        self.builtin = {str(one.get("key")): one for one in listed(builtin.root, "attributes")}
        self.attributes = {str(one.get("key")): one for one in listed(self.root, "attributes")}
        self.names = {str(one.get("name")): "it is built in" for one in listed(builtin.root, "events")}
        self.names[RUN] = "it is the run's"

    def _mistake(self, at: Marked, key: str, check: str, message: str) -> Mistake:
        return Mistake(self.file, at.at(key), check, message)

    def _instead(self, word: str, known: tuple[str, ...]) -> str:
        few = len(known) < 12
        self.suggestions -= not few
        close = get_close_matches(word, known, 1) if few or self.suggestions >= 0 else []
        if close:
            return f"; write `{close[0]}`?"
        return "; known are " + ", ".join(known) if few else ""

    def _known(self, what: str, one: Marked, known: tuple[str, ...]) -> Iterator[Mistake]:
        for key in one:
            if key not in known:
                yield self._mistake(one, key, "unknown-key", f"{what} has no `{key}`{self._instead(key, known)}")

    def _ours(self, what: str, one: Marked) -> Iterator[Mistake]:
        """Whether `annotations` and `annotations.privacy` are what they must be to be read at all."""
        annotations = one.get("annotations", Marked())
        if not isinstance(annotations, Marked):
            yield self._mistake(
                one, "annotations", "mapping", f"{what}: `annotations` must be a mapping; write `annotations: {{...}}`"
            )
        elif not isinstance(annotations.get("privacy", Marked()), Marked):
            yield self._mistake(annotations, "privacy", "mapping", f"{what}: `privacy` must be a mapping; write `privacy: {{...}}`")

    def _list(self, what: str, one: Marked, keys: tuple[str, ...]) -> Iterator[Mistake]:
        for key in keys:
            found = one.get(key, [])
            if not isinstance(found, list) or not all(isinstance(member, Marked) for member in found):
                yield self._mistake(one, key, "list", f"{what}: `{key}` must be a list of mappings; write `- ...` below it")

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
