"""The table of policies: which parameters each takes, what it needs, and which attribute types it can serve."""

from dataclasses import dataclass

STRINGS = ("string", "string[]")
NUMBERS = ("int", "double")


@dataclass(frozen=True)
class Policy:
    """A row: `parameters` in the order in which they are compiled, `needed` those without a default, `types` it serves."""

    parameters: tuple[str, ...]
    needed: tuple[str, ...]
    types: tuple[str, ...]
    keeps: str


POLICIES = {
    "boolean": Policy((), (), ("boolean",), "exactly true or false"),
    "bucket": Policy(("bounds",), ("bounds",), NUMBERS, "the upper bound of a declared bucket"),
    "count": Policy(("max",), ("max",), ("int",), "a whole number up to a declared maximum"),
    "day": Policy(("resolution",), (), ("string",), "the UTC date or week of a moment"),
    "default_only": Policy(
        ("values", "other", "option"), ("values",), STRINGS, "the value when it is the tool's own default and nobody chose it"
    ),
    "drop": Policy((), (), ("string", "string[]", "int", "double", "boolean"), "nothing"),
    "enum": Policy(("values", "other"), ("values",), STRINGS, "a declared member"),
    "frames": Policy(("distributions", "max"), (), ("string[]",), "the public part of an exception's stack, no message"),
    "identifier": Policy(("rotate",), ("rotate",), STRINGS, "a random id that otel-bridge makes itself"),
    "pseudonym": Policy(("rotate", "product"), (), STRINGS, "a keyed hash; the key never leaves the machine"),
    "registry": Policy(("registry", "other"), ("registry",), STRINGS, "a name from a shipped list of public names"),
    "version": Policy(("precision", "requires"), (), STRINGS, "the leading numbers of a version"),
}
DEFAULTS: dict[str, dict[str, object]] = {
    "day": {"resolution": "day"},
    "default_only": {"other": "__custom__", "option": ""},
    "enum": {"other": "__other__"},
    "frames": {"distributions": [], "max": 16},
    "pseudonym": {"rotate": "quarter"},
    "registry": {"other": "__private__"},
    "version": {"precision": "minor", "requires": ""},
}
PRECISION = {"major": 1, "minor": 2, "patch": 3}
OURS = ("identifier",)  # for built-in attributes alone
FILLED = ("product",)  # parameters that are the product's own, never written
EXPLAINING = ("policy", "purpose", "category", "owner", "expires", "note", "cardinality")
OF_A_PLACE = ("note", "cardinality")  # what a ref may say besides parameters
RESOLUTIONS = ("day", "week")
ROTATIONS = ("month", "quarter", "year")
