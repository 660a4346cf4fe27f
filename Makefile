# The commands of daily work; plain `make` lists them. Needs Python 3.11 or newer and make, nothing else.
# Every path is quoted: the folder may hold spaces and Chinese characters.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-platforms check lint types contracts format coverage bench lock wheel clean

VENV := .venv
RUN  := "$(VENV)/bin/python"
PIP  := $(RUN) -m pip --disable-pip-version-check --quiet

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

# One line finds an interpreter that is new enough, whatever its name.
$(VENV)/pyvenv.cfg:
	@for p in $${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do \
	  command -v "$$p" >/dev/null 2>&1 && "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found="$$p" && break; done; \
	if [ -z "$$found" ]; then echo "需要 Python 3.11 或更新版本 / Python 3.11 or newer is needed (PYTHON=/path/to/python make …)" >&2; exit 1; fi; \
	"$$found" -m venv "$(VENV)" || { rm -rf "$(VENV)"; echo "无法创建虚拟环境；Debian/Ubuntu 请先安装 python3-venv / can't make a virtual environment: on Debian and Ubuntu install python3-venv" >&2; exit 1; }

# What the program needs, at the locked versions and hashes; done again only when the lists change.
$(VENV)/.run: $(VENV)/pyvenv.cfg requirements.txt pyproject.toml
	@echo "正在安装 / installing …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch "$@"

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "正在安装开发工具 / installing the tools of development …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch "$@"

demo: $(VENV)/.run ## sets everything up and plays a season: crawl, score, watch, alert, deliver
	@$(RUN) -m listener demo

# Many tests wait for servers and child processes: a few at once, a file's together, keep the cores busy.
TESTS := -m pytest -n 3 --dist loadfile

test: $(VENV)/.dev ## sets everything up and runs all tests
	@$(RUN) $(TESTS)

test-platforms: $(VENV)/.dev ## reads real servers (WordPress, Isso, Waline …): installs them once into .platforms/, minutes and 500 MB
	@KOC_PLATFORMS=1 $(RUN) -m pytest tests/platforms

check: lint types contracts coverage ## all that must be green before a change lands

lint: $(VENV)/.dev ## ruff: rules and format
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	@$(RUN) -m mypy

contracts: $(VENV)/.dev ## import-linter: the architecture
	@"$(VENV)/bin/python" -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

# The pillars and the steps without I/O: what has to be covered, branches too. `nlp/train.py` and its kin run by hand, at training.
PURE := spiders/*,nlp/*,storage/*,config/*,listener/normalize.py,listener/mentions.py,listener/drift/*,listener/signals/*,listener/alerts/*,listener/cases/*,listener/relations/*,listener/explain.py,listener/coverage.py,listener/board.py

coverage: $(VENV)/.dev ## the tests, with branch coverage of the pillars and the pure steps (at least 95 %)
	@$(RUN) -m coverage erase
	@$(RUN) -m coverage run $(TESTS)
	@find . -maxdepth 1 -name '.coverage.*' -size 0 -delete # of processes that tests killed
	@$(RUN) -m coverage combine --quiet
	@$(RUN) -m coverage report --skip-covered
	@$(RUN) -m coverage report --include="$(PURE)" --fail-under=95 --format=total

format: $(VENV)/.dev ## ruff: puts format and imports right
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

bench: $(VENV)/.dev ## the benchmarks of tests/bench
	@for b in tests/bench/bench_*.py; do echo "== $$b"; $(RUN) "$$b" || exit 1; done

lock: $(VENV)/.dev ## renews requirements.txt and requirements-dev.txt from pyproject.toml
	@$(RUN) tests/lock.py

wheel: $(VENV)/.dev ## builds the wheel into dist/
	@$(RUN) -m build --wheel --no-isolation

clean: ## removes what make made
	@rm -rf "$(VENV)" build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
