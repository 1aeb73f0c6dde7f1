# Every target makes what it needs: the environment is created at first use. Commands: `mvae --help`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
comma := ,
READY := $(VENV)/.ready
MVAE := exec $(BIN)/mvae
# Huge pages for the large arrays of an update: 0.92 of the time for hierdec-mel with 512 units on
# two cores of Linux.
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1

.PHONY: install environment data train eval sample interpolate gallery studio table study listen bench gpu \
  lint test clean

# With an accelerator, then: .venv/bin/pip install -c constraints.txt --editable '.[cuda]' (or tpu)
install: $(READY)

# Where several start at once (srun make train) one installs and the others wait.
$(READY): setup.cfg pyproject.toml constraints.txt
	@if command -v flock > /dev/null; then \
	  exec flock $(VENV).lock $(MAKE) --no-print-directory environment; \
	fi; \
	until mkdir $(VENV).lock.d 2> /dev/null; do sleep 1; done; \
	trap 'rmdir $(VENV).lock.d' EXIT; $(MAKE) --no-print-directory environment

environment:
	@test -z "$$(find $(READY) -newer setup.cfg -newer pyproject.toml -newer constraints.txt 2> /dev/null)" \
	  || exit 0; set -e; \
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "mvae needs Python 3.11 or newer; set PYTHON=python3.11")'; \
	echo 'Installing mvae into $(VENV): 1.6 GB, once; a minute or two with a fast connection ...'; \
	$(PYTHON) -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --upgrade pip; \
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'; \
	touch $(READY); echo 'Installed.'

# make data                          builds the demo corpus, data/demo
# make data MIDI=~/midi NAME=mine    builds data/mine from a folder of MIDI
data: install
ifdef MIDI
	@test -n "$(NAME)" || { echo 'error: name the dataset: make data MIDI=$(MIDI) NAME=mine' >&2; exit 2; }
	$(MVAE) data --midi "$(MIDI)" --out "data/$(NAME)" $(ARGS)
else
	$(MVAE) data --demo $(ARGS)
endif

CHOICE = $(if $(VARIANT),--variant "$(VARIANT)") $(if $(DATA),--data "$(DATA)")
LENGTH = $(if $(SCALE),--scale "$(SCALE)") $(if $(STEPS),--steps "$(STEPS)")

# make train EXP=trio16 [VARIANT=flat] [SCALE=small] [STEPS=500] [DATA=data/mine]
#   [ARGS='--config.training.batch_size=32']; without DATA the demo corpus is built first
train: install
	@test -n "$(EXP)" || { echo 'error: say what to train: make train EXP=trio16' >&2; exit 2; }
	$(MVAE) train --exp "$(EXP)" $(CHOICE) $(LENGTH) $(ARGS)

# make sample MODEL=drum2 [ARGS='--n 16 --temperature 0.5'], make eval MODEL=drum2 [ARGS='--limit 500'],
# make interpolate MODEL=mel2 [ARGS='--start A.mid --end B.mid'], make gallery MODEL=runs/mel16: of a
# released model or a run folder; or with EXP=mel16 [VARIANT=flat] [DATA=data/mine] of your training
eval sample interpolate gallery: install
	@test -n "$(EXP)$(MODEL)" || { echo 'error: say which model: make $@ MODEL=trio16, or your training: make $@ EXP=trio16' >&2; exit 2; }
	$(MVAE) $@ $(if $(MODEL),"$(MODEL)",--exp "$(EXP)") $(CHOICE) $(ARGS)

# make studio [MODEL='mel2 runs/mine'] [ARGS='--export page.html']: play with models in the browser
studio: install
	$(MVAE) studio $(MODEL) $(ARGS)

# make table RUNS='runs/mel16-hierenc runs/mel16-hier' [ARGS='--limit 1000']: the paper's table of
# trained models, in runs/table
table: install
	@test -n "$(RUNS)" || { echo "error: say which runs: make table RUNS='runs/mel16-hierenc runs/mel16-hier'" >&2; exit 2; }
	$(MVAE) table --runs $(RUNS) $(ARGS)

# make study [EXP='mel16 drum16'] [DATA=data/mine] [SCALE=small] [STEPS=2000]: trains flat and
# hierarchical at one budget, then the table, in runs/study
study: install
	$(MVAE) study --exp $(or $(EXP),mel16 drum16 trio16) $(if $(DATA),--data "$(DATA)") $(LENGTH) $(ARGS)

# make listen ARGS='serve --runs data=data/mine flat=runs/mel16-hierenc hierarchical=runs/mel16-hier',
# then ARGS=analyse: the paper's listening test
listen: install
	@test -n "$(ARGS)" || { echo "error: say what: make listen ARGS='serve --runs data=data/mine flat=runs/flat', or make listen ARGS=analyse" >&2; exit 2; }
	$(MVAE) listen $(ARGS)

# make bench [ARGS='--peer torch --parts models --sizes A,D']: seconds and ratios, in runs/bench.json too
bench: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench$(if $(findstring torch,$(ARGS)),$(comma)torch)]'
	$(BIN)/mvae data --demo
	exec $(BIN)/python benchmarks/bench.py $(ARGS)

# make gpu [DATA=data/mine] [ARGS='--minutes 20']: all that is to be measured on one accelerator, in
# runs/gpu.json and runs/gpu.md
gpu: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(if $(DATA),,$(BIN)/mvae data --demo)
	exec $(BIN)/python benchmarks/gpu.py $(if $(DATA),--data "$(DATA)") $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install
	exec $(BIN)/python -m pytest -q $(ARGS)

clean:
	rm -rf $(VENV) $(VENV).lock $(VENV).lock.d *.egg-info
