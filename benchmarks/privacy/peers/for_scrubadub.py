"""scrubadub: each text through `scrubadub.clean` as it comes, with the detectors that it loads of itself (none needs a model)."""

import sys
from importlib.metadata import version

import scrubadub
from child import serve


def main() -> None:
    """Answer every line."""
    scrubber = scrubadub.Scrubber()

    def scrub(text: str, secret: str, label: str) -> dict[str, str]:
        return {"text": scrubber.clean(text)}

    serve({"scrubadub": version("scrubadub")}, scrub)


if __name__ == "__main__":
    sys.exit(main())
