# make demo        create .venv, install the core (no torch), show the whole job on a simulated mesh
# make test        the same plus training, test tools and real components; then every check
# make lint        the static checks alone
# make bench-help  how long each --help takes
# make bench-score DIR=folder  score its tables, then cut the future off: no score may change
# make bench-seeds SEEDS=20  the demo with other noise: the same decisions each time
# make bench-incidents SEEDS=20  faults of every kind, and healthy weeks, on meshes nobody trained on
# make bench-ablation SEEDS=5  the same without one part of the score at a time
# make bench-decisions SEEDS=20  scenarios of the rule book on shops nobody tuned by: right, wrong, missed, harmful
#                  REAL=1: each of them once through a real Prometheus
# make bench-bytes REPEATS=1000  the same plan, byte for byte, in any order, schedule and shard
# make bench-loop SEEDS=20       the same incidents with every proposal merged and deployed at once
# make bench-outages SEEDS=5     outages of our own inputs: no pull request, and real incidents still caught
# make bench-detection DIR=folder  detection quality beside its peers (first run: 2 GB, half an hour)
# make bench-speed  how fast, beside its peers and the matrix products alone (first run: 2 GB, half an hour)
# make bench-drift ROWS=60  which slow drift is noticed how soon, and what is reported without one
# make bench-rootcause DIR=folder  which workload is at fault, on real faults, beside its peers
# make fuzz-edit N=1000000  generated manifests, one value changed: nothing else may change
# make fuzz-text N=200000  hostile strings through everything that is written: none may act
# make check-repos DIR=folder  clones of public repositories: every workload resolved or refused, no wrong edit
# make bench-backtest DAYS=30 CLUSTERS=8  how long a replay of so many days takes for 12 workloads a cluster
# make bench-where  how long a monorepo of 5,000 manifests takes, and in how much memory
# make bench-hostile  how long repositories made to hurt hold an answer up
# make chaos N=10000  runs killed at every call to a forge, singly, in pairs and eight at once: nothing double or lost
# make life DAYS=30  a month of pull requests on three schedules: every end, and every verdict, against what was true
# make pictures    pull requests, verdicts and the issue of a storm, drawn as GitHub draws them, into docs/images
# make live REPO=owner/sandbox  one pull request and one issue on GitHub itself, from opening to the end
# make starter     train the starter model again, draw its page, and judge it on call graphs it never saw
# make clean       remove what these targets made: .venv, .cache, caches of tools

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt

.PHONY: chaos life help demo test lint components bench-help bench-score bench-seeds bench-incidents bench-ablation bench-decisions bench-detection bench-speed bench-drift bench-rootcause fuzz-edit check-repos bench-where bench-hostile bench-backtest starter clean bench-loop bench-outages bench-bytes
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make /make /p' Makefile

demo: .venv/.core
	@$(BIN)/aiops demo

test: .venv/.test
	@.ci/components
	@$(MAKE) --no-print-directory lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

components: .venv/.test
	@.ci/components

bench-score: .venv/.test
	@test -n "$(DIR)" || { echo "make: name the folder of .csv.gz tables: make bench-score DIR=..." >&2; exit 2; }
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python tests/detect/tables.py $(DIR)

SEEDS ?= 20
bench-seeds: .venv/.test
	@OMP_NUM_THREADS=1 $(BIN)/python tests/end_to_end/seeds.py $(SEEDS)

FIRST ?= 401
bench-incidents: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.incidents.run $(SEEDS) --first $(FIRST)

bench-decisions: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.decisions.run $(SEEDS) --first $(FIRST) --only $(ONLY) $(if $(REAL),--real)

bench-loop: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.decisions.loop $(SEEDS) --first $(FIRST)

REPEATS ?= 1000
bench-bytes: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.decisions.repeats $(REPEATS)

bench-outages: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.decisions.outages $(SEEDS) --first $(FIRST)

bench-ablation: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.incidents.ablation $(SEEDS) --first $(FIRST)

# WSD=all SEEDS=3 MODELS=folder:folder PAANO=folder, all optional: see run.py.
bench-detection: .venv/.test .cache/peers/.done
	@test -n "$(DIR)" || { echo "make: name the folder with manifest.csv: make bench-detection DIR=..." >&2; exit 2; }
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python tests/bench/detection/run.py $(DIR)

# The peers pin numpy below 2, so they live apart; TSB-AD brings stumpy and scikit-learn.
.cache/peers/.done: tests/bench/detection/peers.txt | .venv/bin/python
	@echo "Installing the peers into .cache/peers (2 GB; five minutes)"
	@$(BIN)/python -m venv .cache/peers
	@.cache/peers/bin/python -m pip --disable-pip-version-check install -q -r tests/bench/detection/peers.txt
	@touch $@

# WORKLOADS=1000 ROUNDS=3 SHARDS=200: less of them takes less time.
bench-speed: .venv/.test .cache/speed-peers/.done
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python tests/bench/speed/run.py .cache/speed-peers/bin/python \
	  --workloads $(or $(WORKLOADS),1000) --rounds $(or $(ROUNDS),3) --shards $(or $(SHARDS),200)

# Others than those of bench-detection: each set has the versions its tables were measured with.
.cache/speed-peers/.done: tests/bench/speed/peers.txt | .venv/bin/python
	@echo "Installing the peers of bench-speed into .cache/speed-peers (2 GB; five minutes)"
	@$(BIN)/python -m venv .cache/speed-peers
	@.cache/speed-peers/bin/python -m pip --disable-pip-version-check install -q -r tests/bench/speed/peers.txt
	@touch $@

ROWS ?= 60
bench-drift: .venv/.test
	@OMP_NUM_THREADS=1 $(BIN)/python tests/bench/drift/sweep.py $(ROWS)

# FROM: the first seed. Stopped and started again it goes on; the parts are in .cache/fuzz-edit.jsonl.
N ?= 20000
FROM ?= 0
fuzz-edit: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.edits.run $(N) --first $(FROM)

.PHONY: fuzz-text
fuzz-text: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR):tests $(BIN)/python -m bench.texts.run $(N)

bench-rootcause: .venv/.test
	@test -n "$(DIR)" || { echo "make: name the folder with cases.csv: make bench-rootcause DIR=..." >&2; exit 2; }
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.rootcause.run $(DIR)

check-repos: .venv/.test
	@test -n "$(DIR)" || { echo "make: name the folder of clones: make check-repos DIR=..." >&2; exit 2; }
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.repos.run $(DIR)

DAYS ?= 30
CLUSTERS ?= 8
bench-backtest: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.backtest.run $(DAYS) $(CLUSTERS)

bench-where: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.where.run

bench-hostile: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR):tests $(BIN)/python -m bench.where.hostile

# FROM: the first trial. Stopped and started again it goes on; the parts are in .cache/chaos.jsonl.
chaos: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR):tests $(BIN)/python -m bench.chaos.run $(if $(filter command,$(origin N)),$(N),1000) --first $(FROM)

life: .venv/.test
	@OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR):tests $(BIN)/python -m bench.life.run $(DAYS)

# DIR: another folder. WHOLE=1: all of each body, and its text; DARK=1: as a dark GitHub draws it.
.PHONY: pictures
pictures: .venv/.test
	@.ci/components
	@OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR):tests $(BIN)/python -m bench.bodies.run $(if $(DIR),--to $(DIR)) $(if $(WHOLE),--whole) $(if $(DARK),--dark)

.PHONY: live
live: .venv/.test
	@test -n "$(REPO)" || { echo "make: name a repository that nobody needs: make live REPO=owner/sandbox" >&2; exit 2; }
	@PYTHONPATH=$(CURDIR):tests $(BIN)/python -m bench.live.run $(REPO)

bench-help: .venv/.test
	@$(BIN)/python tests/test_help.py

starter: .venv/.test
	$(BIN)/python models/starter.py train
	$(BIN)/python models/starter.py judge

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

# pip shows its progress on a terminal and keeps quiet in a log.
.venv/.core: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing the core into .venv (700 MB; a minute)"
	@$(PIP) $$([ -t 2 ] || echo -qq) -e .
	@touch $@

# On Linux, see constraints.txt for how to keep 3 GB of CUDA out.
.venv/.test: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing training and test tools into .venv (2.6 GB; two minutes)"
	@$(PIP) $$([ -t 2 ] || echo -qq) -e '.[train,test]'
	@touch .venv/.core $@

# The first Python that is new enough; the name is tried before it is believed, because a version
# manager may put names on PATH that only say they are not installed.
.venv/bin/python:
	@for python in '$(PYTHON)' python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    "$$python" -m venv .venv && exit 0; \
	    rm -rf .venv; \
	    echo "make: $$python cannot create a virtual environment (on Debian and Ubuntu: install python3-venv)" >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo "make: Python 3.11 or newer is needed; found $$('$(PYTHON)' --version 2>/dev/null || echo none)." \
	  "Install one, or name it: make demo PYTHON=/path/to/python3" >&2; \
	exit 1
