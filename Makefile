# make demo   the main job, on a real collector        make test   all tests
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
REGISTRIES := examples/kitchen/telemetry.yaml examples/shop/telemetry.yaml
PARTS := valgrind strace chromium openssl tinyproxy
TOOLS := black cookiecutter flit_core httpie invoke twine typer
PINS := constraints.txt tests/stories/tools/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test lint types prove bench chaos leaks collector compose tools image generate system-deps clean install
.DEFAULT_GOAL := help

help:  ## show these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(INSTALLED) collector  ## a real CLI's events through a real collector into a file
	@$(BIN)/python examples/demo.py

test: $(INSTALLED) system-deps collector compose tools  ## all tests; nothing is skipped silently
	$(BIN)/python -m pytest

lint: $(INSTALLED)  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)  ## mypy --strict
	$(BIN)/mypy

prove: $(INSTALLED)  ## the property tests with 10,000 cases
	$(BIN)/python -m pytest --hypothesis-profile=prove tests/privacy/test_markers.py

bench: $(INSTALLED) system-deps  ## what a run, a declaration and public names cost: instructions, files, ratios
	$(BIN)/python benchmarks/hot_path.py
	$(BIN)/python benchmarks/schema.py
	$(BIN)/python benchmarks/names.py

chaos: $(INSTALLED) collector  ## 500 faulty worlds: writers, senders and servers die, nothing is lost uncounted
	$(BIN)/python benchmarks/chaos.py

leaks: $(INSTALLED)  ## what 5,500 private strings leave behind in our records, and in what four scrubbers let through
	$(BIN)/python benchmarks/privacy/run.py

collector: $(INSTALLED)  ## build the OpenTelemetry Collector once, into .cache/
	@$(BIN)/python collector-config/build.py

compose: $(INSTALLED)  ## build Docker Compose once, into .cache/, where Docker has none
	@$(BIN)/python collector-config/build.py compose

tools: $(INSTALLED)  ## install the real tools that a test instruments, once, into .cache/tools
	@mkdir -p .cache; { echo "$(CURDIR)" && $(BIN)/python --version && cat pyproject.toml $(PINS); } > .cache/tools.wanted; \
	if ! cmp -s .cache/tools.wanted .cache/tools/.of; then \
	  echo "tools: installing $(TOOLS)"; rm -rf .cache/tools && $(BIN)/python -m venv .cache/tools && \
	  .cache/tools/bin/python -m pip install --quiet $(PINS:%=--constraint %) --editable . $(TOOLS) && \
	  cp .cache/tools.wanted .cache/tools/.of; \
	fi

image: collector  ## a Docker image of nothing but the collector, for docker-compose.yml
	collector-config/image.sh

generate: $(INSTALLED)  ## write again everything that is generated from the registries
	for registry in $(REGISTRIES); do $(BIN)/otel-bridge compile $$registry && $(BIN)/otel-bridge docs $$registry || exit 1; done
	$(BIN)/otel-bridge collector privacy $(REGISTRIES) --out collector-config/privacy.yaml
	$(BIN)/python docs/generate.py

system-deps:  ## Debian packages that the tests use, where they may be installed
	@missing=; for part in $(PARTS); do command -v $$part >/dev/null || missing="$$missing $$part"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq$$missing >/dev/null; \
	else echo "system-deps: missing are$$missing; tests that need them will be skipped and say so"; fi

clean:  ## remove what was built and installed here
	rm -rf .venv .cache .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

install: $(INSTALLED)

$(INSTALLED): pyproject.toml examples/kitchen/pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]' --editable examples/kitchen
	@touch $@
