# Two commands: `make demo` sets everything up and runs the main job, `make test` sets everything up and checks it.
# Both start from nothing but Python 3.11 to 3.13 and make their own environment in .venv.

.DELETE_ON_ERROR:
.PHONY: demo test lint unit integration slow local notebooks docs bench mutants coverage check-python clean

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin

demo: $(VENV)/.runs
	$(BIN)/automix demo

test: lint unit integration local

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# In two processes. The benchmark plugin, which langchain-tests brings along, warns where there is more than one.
unit: $(VENV)/.tests
	$(BIN)/python -m pytest -n 2 -p no:benchmark

# What starts processes, servers, a browser or a cluster, or writes whole reports.
integration: $(VENV)/.tests
	$(BIN)/python -m pytest -n 2 -p no:benchmark -m 'integration and not local and not notebooks and not slow'

# Simulations that take minutes: whether guarantees hold.
slow: $(VENV)/.tests
	$(BIN)/python -m pytest -n 2 -p no:benchmark -m slow

# The real embedded models: llama.cpp, FAISS and sentence embeddings, end to end.
local: $(VENV)/.tests
	$(BIN)/automix models pull smollm2-135m-instruct all-minilm-l6-v2
	$(BIN)/python -m pytest -m local

# The notebooks that are short enough, on the default models (1.6 GB of weights, once).
notebooks: $(VENV)/.tests
	$(BIN)/automix models pull qwen2.5-coder-0.5b-instruct qwen2.5-coder-1.5b-instruct all-minilm-l6-v2
	$(BIN)/python -m pytest -m notebooks

# The docs site, in site/.
docs: $(VENV)/.tests
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Every figure of docs/performance.md beside its peer or limit: results/*.json and a table (1.6 GB of weights, once).
bench: $(VENV)/.tests
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --group bench
	$(BIN)/automix models pull qwen2.5-coder-0.5b-instruct qwen2.5-coder-1.5b-instruct all-minilm-l6-v2
	$(BIN)/python benchmarks/all.py --folder results

# Changes verdicts, policies, costs and routes in 3,800 ways, and compares what no test notices with tests/mutants.md.
mutants: $(VENV)/.tests
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --group mutation
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/mutmut run --max-children 2
	$(BIN)/python tests/mutants.py

# Lines and branches that the unit tests and those on real models reach, in all processes that they start.
coverage: $(VENV)/.tests
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --group coverage
	$(BIN)/automix models pull smollm2-135m-instruct all-minilm-l6-v2
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n 2 -p no:benchmark
	$(BIN)/python -m coverage run -m pytest -n 2 -p no:benchmark -m 'integration and not local and not notebooks and not slow'
	$(BIN)/python -m coverage run -m pytest -m local
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered --sort=miss

check-python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed (on Debian: python3-venv); set PYTHON=/path/to/python" >&2; exit 1; }

$(BIN)/pip: | check-python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip

$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,documents]'
	touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --group test --group lint
	touch $@

clean:
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis
