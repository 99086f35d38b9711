# Every command there is. Plain `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CLIENTS := .venv-clients/.ready
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
LOCK := $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
FOLDERS = $(wildcard shared services/* sandbox scripts bench chaos deploy tests)
ARGS ?=
SERVICE ?= gateway
PORT ?= $(or $(PORT_$(SERVICE)),8000)
PORT_qc-ingest := 8101
PORT_llm-decider := 8102
PORT_decision-router := 8103
PORT_executor := 8104
PORT_market-data := 8105
PORT_strategy-runner := 8106
PORT_lab := 8107
PORT_sandbox := 5612

.PHONY: help setup clients page page-check web-dev screenshots run test unit integration e2e browser e2e-compose \
  format lint types imports check schemas docs migrate serve bench bench-page chaos up down lock clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv, from the locks
	@:

$(READY): pyproject.toml requirements-dev.lock requirements-data.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@echo "Setting up .venv (about a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --require-hashes --no-deps -r requirements-data.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

clients: $(CLIENTS) ## install QuantConnect's own client and stubs into .venv-clients, for tests
	@:

$(CLIENTS): requirements-clients.lock | $(READY)
	@echo "Setting up .venv-clients (half a minute, once)"
	@$(PYTHON) -m venv .venv-clients
	@.venv-clients/bin/python -m pip -qq --disable-pip-version-check install --no-compile \
	  --require-hashes -r requirements-clients.lock
	@touch $@

page: setup ## build the page; nothing to do while its sources are those of the last time
	@$(BIN)/python scripts/build_web.py

page-check: setup ## the page's types and tests, and that they are those of the interface
	@$(BIN)/python scripts/build_web.py check

web-dev: setup ## the page with hot reload on port 5173, on the gateway at SIGNALBOX_URL
	@$(BIN)/python scripts/build_web.py dev

screenshots: page ## every page, light and dark, wide and phone, into screenshots/
	@$(BIN)/python -m pytest -q tests/browser/screenshots.py $(ARGS)

run: page ## set up and start the whole system on this machine; Ctrl-C stops it
	@$(BIN)/python scripts/up.py $(ARGS)

test: page clients ## set up and run every test that needs no Docker engine
	@$(BIN)/python -m pytest $(ARGS)

unit: setup clients ## tests that need no server
	@$(BIN)/python -m pytest -m "not integration and not e2e and not browser" $(ARGS)

integration: setup ## tests against a real NATS and a real PostgreSQL
	@$(BIN)/python -m pytest -m integration $(ARGS)

e2e: setup clients ## a signal goes in, a paper fill comes out
	@$(BIN)/python -m pytest -m e2e $(ARGS)

browser: page ## what a person does on the page, in Chromium
	@$(BIN)/python -m pytest -m browser $(ARGS)

e2e-compose: setup ## start the compose stack, wait until every service is ready, stop it
	@export SIGNALBOX_DATABASE_PASSWORD="$${SIGNALBOX_DATABASE_PASSWORD:-only-for-this-run}"; \
	  compose="$(COMPOSE) --project-name signalbox-e2e"; $$compose up --build --detach && \
	  SIGNALBOX_GATEWAY_PORT=$$($$compose port gateway 8000 | cut -d: -f2) $(BIN)/python deploy/wait_ready.py; \
	  result=$$?; [ $$result = 0 ] || $$compose logs --tail 40; $$compose down --volumes; exit $$result

format: setup ## rewrite the code in the one format
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

lint: setup ## style and likely mistakes
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## mypy, strict, one run per folder because test files share names
	@failed=0; for folder in $(FOLDERS); do \
	  [ -n "$$(find $$folder -name '*.py' -print -quit)" ] || continue; \
	  echo "mypy $$folder"; $(BIN)/mypy --no-error-summary $$folder || failed=1; done; exit $$failed

imports: setup ## who may import whom
	@$(BIN)/lint-imports --no-cache

check: lint types imports page-check unit ## lint, types, imports, page-check, unit

schemas: setup ## regenerate schemas, pages and the page's types, all made from the code
	@$(BIN)/python scripts/generate.py
	@$(BIN)/python scripts/build_web.py gen

docs: schemas ## the same as schemas

migrate: setup ## bring every service's tables up to date
	@$(BIN)/python -m signalbox.runtime.migrate all

serve: setup ## start one service: make serve SERVICE=executor
	@$(BIN)/uvicorn --factory $(subst -,_,$(SERVICE)).app:create_app --host 127.0.0.1 --port $(PORT) \
	  $(if $(filter sandbox,$(SERVICE)),--no-date-header)

bench: setup ## measure throughput and latency against the floor
	@$(BIN)/python -m bench $(ARGS)

bench-page: page ## measure the page: opening, size, scrolling, event to screen
	@$(BIN)/python -m bench.page $(ARGS)

chaos: setup ## kill and cut things, then check that the books agree
	@$(BIN)/python -m chaos $(ARGS)

up: ## start the compose stack in the background
	@$(COMPOSE) up --build --detach

down: ## stop the compose stack, keep its data
	@$(COMPOSE) down

lock: setup ## resolve versions again (Python 3.11, the oldest supported)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "locks are made on Python 3.11"; exit 1; }
	@$(LOCK) --upgrade --output-file requirements.lock pyproject.toml
	@$(LOCK) --upgrade --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	@# Only the packages that are named: what they depend on is never installed.
	@$(LOCK) --no-annotate --no-header --output-file - requirements-data.in \
	  | awk -F'==' 'NR == FNR { if (NF > 1) named[$$1]; next } /^[^ #]/ { keep = $$1 in named } keep && !/^#/' \
	    requirements-data.in - > requirements-data.lock
	@$(LOCK) --upgrade --constraint requirements-dev.lock --output-file requirements-clients.lock requirements-clients.in
	@$(LOCK) --upgrade --output-file requirements-node.lock requirements-node.in

clean: ## remove what the commands above made, except data
	@rm -rf .venv .venv-clients .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist \
	  services/gateway/web/node_modules services/gateway/gateway/static screenshots
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
