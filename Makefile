# make demo   the main job, on a real collector        make test test-system   all tests
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
REGISTRIES := examples/kitchen/telemetry.yaml examples/shop/telemetry.yaml
PARTS := valgrind strace chromium openssl tinyproxy
# What the system tests use: a command, and the Debian package that has it.
SYSTEM_PARTS := openssl docker:docker.io dockerd:docker.io iptables java:default-jre-headless mvn:maven
TOOLS := black cookiecutter flit_core httpie invoke twine typer
CHDB := chdb-core==26.9.0
PINS := constraints.txt tests/stories/tools/constraints.txt
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo .cache/docker-compose)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo up down test test-system lint types prove bench bench-peers chaos leaks collector compose healthcheck kafka s3 clickhouse tools promtool image generate \
  system-deps system-test-deps clean install
.DEFAULT_GOAL := help

help:  ## show these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(INSTALLED) collector  ## a real CLI's events through a real collector into a file
	@$(BIN)/python examples/demo.py

up: image compose  ## build the image, start what docker-compose.yml and .env say, wait until it is healthy
	$(COMPOSE) up --detach --wait --wait-timeout 60

down: compose  ## stop it; the archive and the queues stay
	$(COMPOSE) --profile '*' down

test: $(INSTALLED) system-deps collector compose tools promtool  ## all tests but the system tests; nothing is skipped silently
	$(BIN)/python -m pytest --ignore tests/system

test-system: $(INSTALLED) system-test-deps collector compose healthcheck kafka s3 clickhouse  ## tests that start Docker, Kafka, S3, ClickHouse's engine
	$(BIN)/python -m pytest tests/system

lint: $(INSTALLED)  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)  ## mypy --strict
	$(BIN)/mypy

prove: $(INSTALLED)  ## the property tests with 10,000 cases
	$(BIN)/python -m pytest --hypothesis-profile=prove tests/privacy/test_markers.py

bench: $(INSTALLED) system-deps collector  ## what a run, a declaration, public names and the intake cost: instructions, files, rates
	$(BIN)/python benchmarks/hot_path.py
	$(BIN)/python benchmarks/schema.py
	$(BIN)/python benchmarks/names.py
	$(BIN)/python benchmarks/intake.py

chaos: $(INSTALLED) collector  ## 500 faulty worlds: writers, senders and servers die, nothing is lost uncounted
	$(BIN)/python benchmarks/chaos.py

bench-peers: $(INSTALLED) system-deps collector  ## the same side by side with others, kill -9, a burst, draining, growth; some 45 minutes
	$(BIN)/python benchmarks/compare.py

leaks: $(INSTALLED)  ## what 5,500 private strings leave behind in our records, and in what four scrubbers let through
	$(BIN)/python benchmarks/privacy/run.py

collector: $(INSTALLED)  ## build the OpenTelemetry Collector once, into .cache/
	@$(BIN)/python collector-config/build.py

compose: $(INSTALLED)  ## build Docker Compose once, into .cache/, where Docker has none
	@$(BIN)/python collector-config/build.py compose

promtool: $(INSTALLED)  ## build Prometheus' promtool once, into .cache/, for the alert rules
	@$(BIN)/python collector-config/promtool.py

tools: $(INSTALLED)  ## install the real tools that a test instruments, once, into .cache/tools
	@mkdir -p .cache; { echo "$(CURDIR)" && $(BIN)/python --version && cat pyproject.toml $(PINS); } > .cache/tools.wanted; \
	if ! cmp -s .cache/tools.wanted .cache/tools/.of; then \
	  echo "tools: installing $(TOOLS)"; rm -rf .cache/tools && $(BIN)/python -m venv .cache/tools && \
	  .cache/tools/bin/python -m pip install --quiet $(PINS:%=--constraint %) --editable . $(TOOLS) && \
	  cp .cache/tools.wanted .cache/tools/.of; \
	fi

healthcheck: $(INSTALLED)
	@$(BIN)/python collector-config/build.py healthcheck

s3: $(INSTALLED)
	@$(BIN)/python collector-config/build.py s3

clickhouse: $(INSTALLED)  ## install ClickHouse's engine into .cache/clickhouse and build a collector for it, for the system tests
	@$(BIN)/python collector-config/build.py clickhouse
	@if ! [ -e .cache/clickhouse/.of-$(CHDB) ]; then \
	  echo "clickhouse: installing $(CHDB)"; rm -rf .cache/clickhouse && $(BIN)/python -m venv .cache/clickhouse && \
	  .cache/clickhouse/bin/python -m pip install --quiet --no-deps $(CHDB) && touch .cache/clickhouse/.of-$(CHDB); \
	fi

kafka: .cache/kafka/.of  ## copy a Kafka broker into .cache/kafka, for the system tests

.cache/kafka/.of: tests/system/kafka/pom.xml
	@if ! command -v mvn >/dev/null; then echo "kafka: Maven is missing; tests that need a broker will be skipped and say so"; exit 0; fi; \
	echo "kafka: copying a broker with Maven" && rm -rf .cache/kafka && \
	mvn --quiet --batch-mode --color never --file $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.cache/kafka && touch $@

image: collector healthcheck  ## a Docker image of nothing but the collector, for docker-compose.yml
	collector-config/image.sh

generate: $(INSTALLED)  ## write again everything that is generated from the registries
	for registry in $(REGISTRIES); do $(BIN)/otel-bridge compile $$registry && $(BIN)/otel-bridge docs $$registry || exit 1; done
	$(BIN)/otel-bridge collector privacy $(REGISTRIES) --out collector-config/privacy.yaml
	$(BIN)/python docs/generate.py

# Each a target of its own: make makes a target once, whatever `make test test-system` would want it for.
system-deps:  ## Debian packages that the tests use, where they may be installed
	@$(call installed,$(PARTS))

system-test-deps:  ## Debian packages that the system tests use
	@$(call installed,$(SYSTEM_PARTS))

define installed
missing=; for part in $(1); do command -v $${part%%:*} >/dev/null || missing="$$missing $${part#*:}"; done; \
if [ -z "$$missing" ]; then :; \
elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq$$missing >/dev/null; \
else echo "system-deps: missing are$$missing; tests that need them will be skipped and say so"; fi
endef

clean:  ## remove what was built and installed here
	rm -rf .venv .cache .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

install: $(INSTALLED)

$(INSTALLED): pyproject.toml examples/kitchen/pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable . --editable examples/kitchen
	@touch $@
