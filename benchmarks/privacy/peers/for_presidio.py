"""Microsoft Presidio: each text through its analyzer and its anonymizer.

Used: every predefined English recogniser that needs no model, with the default threshold, context words on, over a blank spaCy
pipeline (which gives the words and no names of persons or places); the anonymizer's default, which puts `<ENTITY>` in place. The
list of public suffixes is the one that tldextract carries, for it would otherwise be downloaded.
"""

import sys
import warnings
from importlib.metadata import version

import spacy
import tldextract
from child import serve
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_anonymizer import AnonymizerEngine


class Blank(SpacyNlpEngine):
    """spaCy with a tokenizer and nothing else, so that no model is needed."""

    def load(self) -> None:
        self.nlp = {"en": spacy.blank("en")}


def main() -> None:
    """Answer every line."""
    warnings.simplefilter("ignore")
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [one for one in registry.recognizers if type(one).__name__ != "SpacyRecognizer"]
    engine = Blank(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.load()
    analyzer, anonymizer = AnalyzerEngine(registry=registry, nlp_engine=engine), AnonymizerEngine()

    def scrub(text: str, secret: str, label: str) -> dict[str, str]:
        return {"text": anonymizer.anonymize(text, analyzer.analyze(text, language="en")).text}

    serve({name: version(name) for name in ("presidio-analyzer", "presidio-anonymizer")}, scrub)


if __name__ == "__main__":
    sys.exit(main())
