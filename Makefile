# make book    set up, execute every chapter, build the HTML book
# make test    set up, run every test of the package, the chapters, the book and its pages in a browser
# make serve   build the book and show it on localhost
# make pdf     print the book: one file, with tags, bookmarks and numbers of pages
# make site-test   what takes too long for that: all notebooks in Colab's versions, JupyterLab, Lighthouse, axe-core, print
# make lint    check the style of package, tests, benchmarks, chapters and exercises
# make exercises  check the masters in solutions/ and build the students' notebooks from them
# make bench   set up the peers, run the benchmarks
# make bench-grading   grade 1,000 submissions beside another grader, which is set up first
# make clean   remove what was built (not .venv)

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON_VERSION ?=
PORT ?= 8000
JOBS ?= 2
CHAPTERS = book/index.md $(wildcard book/[0-9][0-9]-*.md)
MASTERS = $(wildcard solutions/[0-9][0-9]-*.md)
COURSEKIT_COLAB_LIST ?= ../shared/colab/pip-freeze.txt
export COURSEKIT_COLAB_LIST
export PYTHONPATH := $(CURDIR)/book/_ext
# Where it is set, every process compiles torch anew, which takes longer than to import it.
export PYTHONDONTWRITEBYTECODE :=

BUILD := $(BIN)/jupyter-book build book --config _config.yml --toc $(CURDIR)/_toc.yml --path-output . \
         -W -n --keep-going $(BOOK_FLAGS)
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make requirements"

.PHONY: book exercises test serve lint format bench bench-grading clean requirements notebooks pdf site-test setup
.DELETE_ON_ERROR:

setup: $(VENV)/.ready

$(VENV)/.ready: requirements/dev.txt requirements/uv.txt $(wildcard requirements/npm*.json) pyproject.toml
	@bash requirements/venv.sh $(VENV) $(PYTHON_VERSION)
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m coursebook.assets
	@touch $@

# What only the tests need: a browser, axe-core, and the versions that Colab has.
$(VENV)/.ready-test: $(VENV)/.ready requirements/npm-test.json requirements/colab.sh $(wildcard $(COURSEKIT_COLAB_LIST))
	$(BIN)/python -m coursebook.browser
	$(BIN)/python -m coursebook.assets requirements/npm-test.json
	@bash requirements/colab.sh $(BIN)/uv $(VENV)/colab $(COURSEKIT_COLAB_LIST) ipykernel ipython ipywidgets
	@touch $@

# What looks at the pages as search engines and slow phones do, with some hundred packages of its own.
$(VENV)/lighthouse/.ready: $(VENV)/.ready $(wildcard requirements/lighthouse/*.json)
	@mkdir -p $(@D)
	@cp requirements/lighthouse/*.json $(@D)
	@$(BIN)/python -m coursebook.npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready requirements/bench.txt
	$(INSTALL) --require-hashes -r requirements/bench.txt
	@touch $@

# Another grader, in an environment of its own: it must not choose our versions.
$(VENV)/otter/.ready: $(VENV)/.ready requirements/otter.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/otter
	$(BIN)/uv pip install --quiet --python $(VENV)/otter/bin/python --require-hashes -r requirements/otter.txt
	@touch $@

# JupyterLab, in which notebooks are tried; their kernel is the environment of the tests.
$(VENV)/lab/.ready: $(VENV)/.ready requirements/lab.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/lab
	$(BIN)/uv pip install --quiet --python $(VENV)/lab/bin/python --require-hashes -r requirements/lab.txt
	@touch $@

# A failed build forgets the pages it read: an incremental one would pass over the warnings of unchanged pages.
book: $(VENV)/.ready
	@$(BUILD) || { rm -rf _build/.doctrees; exit 1; }
	@echo "The book is at $(CURDIR)/_build/html/index.html"

serve: book
	$(BIN)/python -m http.server $(PORT) --bind localhost --directory _build/html

# Chapters first, one at a time, since they are timed; the build then shows what they computed.
test: $(VENV)/.ready $(VENV)/.ready-test
	$(BIN)/python -m pytest book
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests --ignore tests/browser --ignore tests/site -n $(JOBS) --dist loadfile \
	    --no-loadscope-reorder
	@$(MAKE) book
	$(BIN)/python -m pytest tests/browser -n $(JOBS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m coursebook.lint $(CHAPTERS) $(MASTERS)

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/python -m coursebook.lint --fix $(CHAPTERS) $(MASTERS)
	$(BIN)/ruff format .

exercises: $(VENV)/.ready
	$(BIN)/coursekit exercises build

bench: $(VENV)/.ready $(VENV)/.ready-bench
	$(BIN)/python -m bench

bench-grading: $(VENV)/.ready $(VENV)/otter/.ready
	$(BIN)/python -m bench.grading

# The build of the book has written them.
notebooks: book
	$(BIN)/python -m coursebook.notebooks _build/notebooks

# The pages as they are, printed by a browser; nothing is executed again.
pdf: book
	$(BIN)/python -m coursebook.browser
	$(BIN)/python -m coursebook.pdf _build/pdf

# What takes long: every notebook in an environment of the versions that Colab has today, chapters in JupyterLab, Lighthouse
# on every chapter, axe-core on every page, the book on paper.
# ONLY="01 or 06-flows" picks tests by name.
site-test: notebooks pdf $(VENV)/.ready-test $(VENV)/lighthouse/.ready $(VENV)/lab/.ready
	$(BIN)/python -m pytest tests/site $(if $(ONLY),-k "$(ONLY)")

clean:
	rm -rf _build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

requirements: $(VENV)/.ready
	$(LOCK) requirements/uv.in --python-version 3.11 -o requirements/uv.txt
	$(LOCK) pyproject.toml --extra widgets --extra book --extra grade --extra dev --python-version 3.11 \
	    --constraint requirements/constraints.in -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra bench --python-version 3.11 --constraint requirements/dev.txt -o requirements/bench.txt
	$(LOCK) requirements/otter.in --python-version 3.11 --constraint requirements/dev.txt -o requirements/otter.txt
	$(LOCK) requirements/lab.in --python-version 3.11 --constraint requirements/dev.txt -o requirements/lab.txt
