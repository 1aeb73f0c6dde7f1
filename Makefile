# Every target makes what it needs: the environment is created at first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
comma := ,
READY := $(VENV)/.ready
# Huge pages for the large arrays of an update: 0.92 of the time for hierdec-mel with 512 units on two cores of Linux.
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1

.PHONY: install data train eval sample interpolate gallery table study listen bench lint test clean
install: $(READY)

$(READY): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "mvae needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# make data                          builds the demo corpus, data/demo
# make data MIDI=~/midi NAME=mine    builds data/mine from a folder of MIDI
data: install
ifdef MIDI
	@test -n "$(NAME)" || { echo 'error: name the dataset: make data MIDI=$(MIDI) NAME=mine' >&2; exit 2; }
	$(BIN)/python data/build.py --midi "$(MIDI)" --out "data/$(NAME)" $(ARGS)
else
	$(BIN)/python data/build.py --demo --out data/demo $(ARGS)
endif

# make train EXP=trio16 [VARIANT=flat] [SCALE=small] [STEPS=500] [DATA=data/mine] [ARGS='--config.training.batch_size=32']
train: install
	@test -n "$(EXP)" || { echo 'error: say what to train: make train EXP=trio16' >&2; exit 2; }
	$(if $(DATA),,$(BIN)/python data/build.py --demo --out data/demo)
	$(BIN)/python experiments/train.py --exp "$(EXP)" $(if $(VARIANT),--variant "$(VARIANT)") $(if $(SCALE),--scale "$(SCALE)") \
	  $(if $(STEPS),--steps "$(STEPS)") $(if $(DATA),--data "$(DATA)") $(ARGS)

# make eval EXP=mel16 [DATA=data/mine] [ARGS='--limit 500'], make sample EXP=mel16 [ARGS='--n 16 --temperature 0.5'],
# make interpolate EXP=mel16 [ARGS='--start A.mid --end B.mid'], make gallery EXP=mel16 (index.html with play buttons): of the run in runs/EXP,
# or with MODEL=drum2 of a released model
eval sample interpolate gallery: install
	@test -n "$(EXP)$(MODEL)" || { echo 'error: say which run: make $@ EXP=trio16, or a released model: make $@ MODEL=drum2' >&2; exit 2; }
	$(BIN)/python experiments/$(PROGRAM_$@).py $(if $(MODEL),--run "$(MODEL)",--exp "$(EXP)") $(if $(DATA),--data "$(DATA)") $(ARGS)

PROGRAM_eval := evaluate
PROGRAM_sample := sample
PROGRAM_interpolate := interpolate
PROGRAM_gallery := gallery

# make table RUNS='runs/mel16-hierenc runs/mel16-hier' [ARGS='--limit 1000']: the paper's table of trained runs, in runs/table
table: install
	@test -n "$(RUNS)" || { echo "error: say which runs: make table RUNS='runs/mel16-hierenc runs/mel16-hier'" >&2; exit 2; }
	$(BIN)/python experiments/table.py --runs $(RUNS) $(ARGS)

# make study [EXP='mel16 drum16'] [DATA=data/mine] [SCALE=small] [STEPS=2000]: trains flat and hierarchical at one budget, then the table, in runs/study
study: install
	$(if $(DATA),,$(BIN)/python data/build.py --demo --out data/demo)
	$(BIN)/python experiments/study.py --exp $(or $(EXP),mel16 drum16 trio16) $(if $(DATA),--data "$(DATA)") $(if $(SCALE),--scale "$(SCALE)") \
	  $(if $(STEPS),--steps "$(STEPS)") $(ARGS)

# make listen ARGS='serve --runs data=data/mine flat=runs/mel16-hierenc hierarchical=runs/mel16-hier', then ARGS=analyse: the paper's listening test
listen: install
	@test -n "$(ARGS)" || { echo "error: say what: make listen ARGS='serve --runs data=data/mine flat=runs/flat', or make listen ARGS=analyse" >&2; exit 2; }
	$(BIN)/python experiments/listen.py $(ARGS)

# make bench [ARGS='--peer torch --parts models --sizes A,D']: seconds and ratios, in runs/bench.json too
bench: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench$(if $(findstring torch,$(ARGS)),$(comma)torch)]'
	$(BIN)/python data/build.py --demo --out data/demo
	$(BIN)/python benchmarks/bench.py $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

test: install
	$(BIN)/python -m pytest -q $(ARGS)

clean:
	rm -rf $(VENV) *.egg-info
