# Thin: every target is a line or two that can be typed by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

RUN_PACKAGES := python3-bpfcc
TEST_PACKAGES := procps strace systemd gcc gcc-multilib libc6-dev git perl curl sqlite3 util-linux diffutils openssl \
    prometheus

.DEFAULT_GOAL := help
.PHONY: help install run test quick check bench deb install-sidecar fmt clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## make .venv with the pytracer command in it

run: $(VENV)/.installed  ## trace ls with the ebpf backend
	@tools/provide $(RUN_PACKAGES)
	$(BIN)/pytracer --backend=ebpf ls /tmp

test: $(VENV)/.developing  ## run all tests
	@tools/provide $(RUN_PACKAGES) $(TEST_PACKAGES) || true
	$(BIN)/python -m pytest $(PYTEST_ARGS)

quick: $(VENV)/.developing  ## run the tests that take seconds
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

check: $(VENV)/.developing  ## lint, formats and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@if command -v clang-format >/dev/null; then \
	    find bpf -name '*.[ch]' -not -path 'bpf/include/*' -exec clang-format --dry-run --Werror {} +; \
	else echo "clang-format is not installed: bpf/ not checked"; fi

bench: $(VENV)/.installed  ## compare with strace, perf trace and bpftrace, side by side
	$(BIN)/python -m benchmarks

deb: $(VENV)/.developing  ## build dist/pytracer_*.deb, for the release of Debian that runs here
	deploy/debian/build $(BIN)/python dist

install-sidecar: $(VENV)/.developing  ## put commands and systemd units below PREFIX (/usr/local)
	deploy/install $(BIN)/python "$(DESTDIR)"

fmt: $(VENV)/.developing  ## put all sources into their format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	find bpf -name '*.[ch]' -not -path 'bpf/include/*' -exec clang-format -i {} +

clean:  ## remove what the targets above made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "pytracer needs Python 3.11 or later; name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/provide python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q pytracer || true
	@touch $@

$(VENV)/.developing: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/python -m compileall -q pytracer || true
	@touch $(VENV)/.installed $@
