"""The command lines of the real tools and the files that they find: how each ends, and what its span says of itself.

Every value that a person could have typed has `zebra` in it: names of files, folders, tasks and variables, addresses, headers, code.
"""

from dataclasses import dataclass, field

PLANTED = "zebra"


@dataclass(frozen=True)
class Run:
    """A command line, its exit code, and the attributes of its span that are not the same for all."""

    line: str
    code: int = 0
    told: dict[str, object] = field(default_factory=dict)


FILES = {
    "black": {
        "zebra_neat.py": "zebra = 1\n",
        "zebra_untidy.py": "zebra  =  {'a':1}\n",
        "zebra_broken.py": "zebra = (\n",
    },
    "cookiecutter": {
        "zebra-template/cookiecutter.json": '{"zebra_word": "zebra-default"}\n',
        "zebra-template/{{cookiecutter.zebra_word}}/README.md": "# {{cookiecutter.zebra_word}}\n",
        "zebra-template/hooks/post_gen_project.py": 'print("zebra-hook ran")\n',
    },
    "httpie": {"zebra.txt": "zebra\n"},
    "invoke": {
        "tasks.py": """
from invoke import task

@task
def zebra_greet(context, zebra_name="nobody"):
    context.run(f"echo hello {zebra_name}")

@task
def zebra_fail(context, zebra=False):
    context.run("exit 3")
"""
    },
    "twine": {},
    "typer": {
        "zebra.py": """
import typer
zebra = typer.Typer()

@zebra.command()
def greet(zebra: str = "nobody") -> None:
    print(f"hello {zebra}")
"""
    },
}
PROJECT = {  # of which `twine check` gets a wheel and a source distribution
    "pyproject.toml": """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "zebra"
version = "1.0"
requires-python = ">=3.11"
description = "A tiny project without a long description, of which `twine check` warns"
""",
    "zebra.py": '"""A tiny project."""\n',
}
HELP, VERSION, USAGE = {"otel_bridge.help": "help"}, {"otel_bridge.help": "version"}, {"error.type": "UsageError"}


def options(*names: str, **values: object) -> dict[str, object]:
    """The options that were set, and values by the names of their keys, as `black_check=True`."""
    keys = {name.replace("_", ".option.", 1): value for name, value in values.items()}
    return {"otel_bridge.options": list(names), **keys}


BLACK = {"black_check": False, "black_target_version": []}
COOKIES = {"cookiecutter_accept_hooks": "yes", "cookiecutter_no_input": False}
CHECK = {"otel_bridge.command": "check"}
TOOLS = {
    "black": (  # click
        Run("black --version", 0, VERSION),
        Run("black --help", 0, HELP),
        Run("black --check zebra_neat.py", 0, options("--check", **BLACK | {"black_check": True})),
        Run("black --check zebra_untidy.py", 1, options("--check", **BLACK | {"black_check": True})),
        Run("black --check zebra_broken.py", 123, options("--check", **BLACK | {"black_check": True})),
        Run(
            "black --diff -t py311 --target-version py312 zebra_untidy.py",
            0,
            # its own callback makes enums of the words
            options("--diff", "--target-version", **BLACK | {"black_target_version": ["__other__"]}),
        ),
        Run("black --code 'zebra   =  3'", 0, options("--code", **BLACK)),
        Run("black --check .", 123, options("--check", **BLACK | {"black_check": True})),  # several files: in processes of its own
        Run("black --zebra zebra_neat.py", 2, USAGE),
        Run("black --target-version zebra zebra_neat.py", 2, USAGE),
        Run("black --line-length 60 zebra_untidy.py", 0, options("--line-length", **BLACK)),
    ),
    "cookiecutter": (  # click
        Run("cookiecutter --version", 0, VERSION),
        Run("cookiecutter --help", 0, HELP),
        Run("cookiecutter --no-input zebra-missing", 1, options("--no-input", **COOKIES | {"cookiecutter_no_input": True})),
        Run(
            "cookiecutter --no-input --accept-hooks no zebra-template zebra_word=zebra-value",
            0,
            options("--accept-hooks", "--no-input", cookiecutter_accept_hooks="no", cookiecutter_no_input=True),
        ),
        Run("cookiecutter --accept-hooks zebra zebra-template", 2, USAGE),
        Run(
            "cookiecutter --no-input -o zebra-out zebra-template",
            0,
            options("--no-input", "--output-dir", **COOKIES | {"cookiecutter_no_input": True}),
        ),
    ),
    "httpie": (  # subclasses of argparse
        Run("http --version", 0, VERSION | options("--version", httpie_offline=False)),
        Run("http --help", 0, HELP | options("--help", httpie_offline=False)),
        Run(
            "http --ignore-stdin --offline --zebra zebra.example.org",
            1,
            options("--ignore-stdin", "--offline", httpie_offline=True),  # its status says no more than that it failed
        ),
        Run("httpie --help", 0, HELP | options("--help")),
        Run("httpie plugins list", 0, {"otel_bridge.command": "plugins list"} | options()),
        Run("httpie cli export-args", 0, {"otel_bridge.command": "cli export-args"} | options()),
        Run("httpie cli sessions upgrade zebra-host zebra-session", 1, {"otel_bridge.command": "cli sessions upgrade"} | options()),
        Run("httpie zebra", 1, options(httpie_offline=False)),  # which tries the parser of http as well
        Run(
            "http --ignore-stdin --offline --pretty none POST https://zebra.example.org/zebra X-Zebra:zebra-header zebra=zebra-text",
            0,
            options("--ignore-stdin", "--offline", "--pretty", httpie_prettify="none", httpie_offline=True),
        ),
        Run(
            "https --ignore-stdin --offline -f -a zebra:zebra zebra.example.org zebra@zebra.txt --boundary zebra",
            0,
            options("--auth", "--boundary", "--form", "--ignore-stdin", "--offline", httpie_offline=True),
        ),
        Run(
            "http --ignore-stdin --check-status --headers SERVER/zebra",
            4,
            options("--check-status", "--headers", "--ignore-stdin", httpie_offline=False),
        ),
    ),
    "invoke": (  # a parser of its own, and an entry point that is a method: its tasks are other people's words
        Run("invoke --version"),
        Run("inv --help"),
        Run("invoke --list"),
        Run("invoke zebra-unknown", 1),
        Run("invoke zebra-fail --zebra", 3),
        Run("inv zebra-greet --zebra-name zebra-person"),
    ),
    "twine": (  # argparse in two stages
        Run("twine --version", 0, VERSION | options("--version")),
        Run("twine --help", 0, HELP | options("--help")),
        Run("twine check --help", 0, HELP | CHECK | options("--help", twine_strict=False)),
        Run("twine", 2, USAGE | options()),
        Run("twine zebra", 2, USAGE | options()),
        Run("twine check zebra-missing.whl", 1, CHECK | options(twine_strict=False)),
        Run("twine check --zebra", 2, CHECK | USAGE | options(twine_strict=False)),
        Run("twine check --strict zebra-dist/zebra-1.0.tar.gz", 1, CHECK | options("--strict", twine_strict=True)),
        Run(
            "twine check zebra-dist/zebra-1.0.tar.gz zebra-dist/zebra-1.0-py3-none-any.whl",
            0,
            CHECK | options(twine_strict=False),
        ),
    ),
    "typer": (  # typer's own copy of click
        Run("typer --version", 0, VERSION),
        Run("typer --help", 0, HELP),
        Run("typer zebra.py utils docs --name zebra", 0, {"otel_bridge.command": "utils docs"} | options("--name")),
        Run("typer zebra.py utils docs --zebra", 2, {"otel_bridge.command": "utils docs"} | USAGE | options()),
        Run("typer --app zebra zebra.py run --zebra zebra-word", 0, {"otel_bridge.command": "run"} | options("--app", "__other__")),
    ),
}
