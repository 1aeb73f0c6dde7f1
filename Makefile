# Every target makes what it needs: the environment is created at first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: install data lint test clean
install: $(READY)

$(READY): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "mvae needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# make data MIDI=~/midi NAME=mine    builds data/mine from a folder of MIDI
data: install
	@test -n "$(MIDI)" || { echo 'error: say where the MIDI files are: make data MIDI=~/midi NAME=mine' >&2; exit 2; }
	@test -n "$(NAME)" || { echo 'error: name the dataset: make data MIDI=$(MIDI) NAME=mine' >&2; exit 2; }
	$(BIN)/python data/build.py --midi "$(MIDI)" --out "data/$(NAME)" $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/lint-imports

test: install
	$(BIN)/python -m pytest -q $(ARGS)

clean:
	rm -rf $(VENV) *.egg-info
