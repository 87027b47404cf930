# Two commands are all a fresh machine with Python 3.11+ needs: make demo, make test.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
PORT ?= 8000
DATA ?= perennial-data
VENV := .venv
BIN := $(VENV)/bin
# Node comes from PyPI with the other tools, never from the machine.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PORT

ASSETS := src/perennial/ui/static/dist/.built
FONTS := src/perennial/ui/fonts/LICENSE.txt
CATALOGS := $(patsubst %.po,%.mo,$(shell find src -name '*.po' 2>/dev/null))

# Compiled tests are kept, also where nothing else is: rewriting takes 15 s a worker.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo company test test-all ready lint style types scripts browser postgres bench docs reference words clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

setup: $(VENV)/.app $(ASSETS) $(FONTS) $(CATALOGS)  ## everything that running it needs

demo: $(VENV)/.app  ## an example company in the browser, on PORT
	# The company is made while its pages' styles and scripts are built.
	$(MAKE) --no-print-directory -j2 setup company
	$(BIN)/perennial --data $(DATA) demo --port $(PORT)

company: $(VENV)/.app
	@$(BIN)/perennial --data $(DATA) demo --no-serve

test: ready  ## what a change has to pass: all checks, all cheap tests, some of the costly
	$(PYTEST) --quick=$$(git rev-parse HEAD 2>/dev/null || echo none)

test-all: ready  ## every test, most of an hour: before a release, and every night
	$(PYTEST)

ready: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j3 setup lint browser postgres

lint: style types scripts  ## format, style, imports, types

style: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

scripts: $(ASSETS)
	npm --prefix js run --silent check
	npm --prefix js test --silent

browser:  # Chromium for the tests in a real browser
	@if ! command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null; then
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    apt-get update -qq
	    # Debian has the part that has no windows alone: quicker, and smaller.
	    chromium=$$(apt-cache pkgnames | grep -x chromium-headless-shell || echo chromium)
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$chromium >/dev/null
	  else
	    echo "No Chromium: the browser tests will be skipped (apt-get install chromium)"
	  fi
	fi

postgres: | browser  # PostgreSQL for the tests of the team server, which start one of their own
	@if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    apt-get update -qq
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null \
	      || echo "No PostgreSQL could be installed: the tests of the team server will be skipped"
	  else
	    echo "No PostgreSQL: the tests of the team server will be skipped (apt-get install postgresql)"
	  fi
	fi

bench: setup $(VENV)/.dev  ## measure import, refresh and metrics beside peers
	$(BIN)/uv sync -q --frozen --inexact --compile-bytecode --group bench
	$(BIN)/python -m benchmarks

docs: setup $(VENV)/.dev  ## the documentation as a site in site/
	$(BIN)/uv sync -q --frozen --inexact --compile-bytecode --group docs
	$(BIN)/mkdocs build --strict

reference: $(VENV)/.app  ## write docs/reference again from the code
	$(BIN)/python -m docs.reference

words: $(VENV)/.app  ## bring the catalogs of translations up to date
	$(BIN)/python -m docs.words

clean:  ## forget everything that was built
	rm -rf $(VENV) js/node_modules src/perennial/ui/static/dist src/perennial/ui/fonts site

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Perennial needs Python 3.11 or later (PYTHON=/path/to/python3)"; exit 1; }
	if ! $(PYTHON) -m venv $(VENV) >/dev/null 2>&1; then
	  # Debian keeps the part that makes environments in a package of its own.
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
	    $(PYTHON) -m venv $(VENV)
	  else
	    echo "Please install python3-venv first (apt-get install python3-venv)"; exit 1
	  fi
	fi
	$(BIN)/python -m pip install -q --disable-pip-version-check uv

$(VENV)/.app: pyproject.toml uv.lock | $(BIN)/uv
	$(BIN)/uv sync -q --frozen --inexact --compile-bytecode --no-default-groups --group build
	touch $@

$(VENV)/.dev: $(VENV)/.app
	$(BIN)/uv sync -q --frozen --inexact --compile-bytecode --group dev
	touch $@

$(ASSETS): js/package-lock.json $(shell find js/src js/css -type f 2>/dev/null) js/package.json js/build.mjs js/snippet.mjs js/sprite.mjs js/favicon.svg $(shell find src -name '*.html' -o -name '*.py' 2>/dev/null) | $(VENV)/.app
	cd js
	[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error
	npm run --silent build
	touch ../$@

$(FONTS): js/fonts.py js/package-lock.json | $(ASSETS)
	$(BIN)/python js/fonts.py $(@D)

%.mo: %.po | $(VENV)/.app
	$(BIN)/pybabel -q compile -i $< -o $@
