# make lab and make test set up .venv when it is missing; everything else is for contributors.
VENV_PYTHON := .venv/bin/python
STAMP := .venv/.installed
SCRIPTS = $(wildcard gru4rec_lab/widgets/*/*.js gru4rec_lab/page/js/*.js scripts/lab/extensions/*/static/*.js)
NOTEBOOKS = $(wildcard notebooks/*.ipynb notebooks/solutions/*.ipynb)
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# Kernels are those of .venv, whatever else is installed for this user.
export JUPYTER_PREFER_ENV_PATH = 1
unexport JUPYTER_PATH PYTHONPATH PYTHONHOME PYTHONSTARTUP

# One torch thread: a run is then the same bit for bit, and on a busy machine more threads spend their
# time waiting for each other. make lab OMP_NUM_THREADS=4 gives large models more.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

# Tests and stored notebooks also do without the user's own Jupyter and IPython settings.
OWN := "$(CURDIR)/.venv/hermetic"
HERMETIC := JUPYTER_CONFIG_DIR=$(OWN) JUPYTER_DATA_DIR=$(OWN) IPYTHONDIR=$(OWN)

# A moved checkout, a vanished Python or versions of the other kind count as not installed.
INSTALLED := $(CURDIR)$(if $(NEWEST), newest)
ifneq ($(shell cat $(STAMP) 2>/dev/null && $(VENV_PYTHON) -V >/dev/null 2>&1 || echo none),$(INSTALLED))
.PHONY: $(STAMP)
endif

.PHONY: help setup lab app page test notebooks bench figures docs lint format clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

setup: $(STAMP)  ## make .venv and install the pinned packages (NEWEST=1: the newest instead)
	@echo "setup: .venv is ready"

$(STAMP): pyproject.toml constraints.txt scripts/setup.sh scripts/install.py
	@sh scripts/setup.sh

lab: $(STAMP)  ## open JupyterLab on the first notebook (ARGS="--no-browser --port=8899")
	@$(VENV_PYTHON) -m jupyterlab --ip=127.0.0.1 $(ALLOW_ROOT) --ServerApp.root_dir="$(CURDIR)" \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
		--LabApp.app_settings_dir="$(CURDIR)/scripts/lab" \
		--LabApp.extra_labextensions_path="$(CURDIR)/scripts/lab/extensions" $(ARGS)

app: $(STAMP)  ## serve the panels as a web page, for this machine only (ARGS="--no-browser --port=8899")
	@$(HERMETIC) JUPYTER_PATH="$(CURDIR)/scripts/app" $(VENV_PYTHON) -m voila scripts/app/panels.ipynb \
		--Voila.config_file_paths="$(CURDIR)/scripts/app" $(ARGS)

page: $(STAMP)  ## write the LossExplorer as one HTML file that needs no installation: build/gru4rec_lab.html
	@$(VENV_PYTHON) -m gru4rec_lab.page.build

test: $(STAMP)  ## unit tests, every notebook strictly, then the browser (ARGS="-k losses")
	@$(HERMETIC) $(VENV_PYTHON) -m pytest --nbval --nbval-current-env tests notebooks $(ARGS)

notebooks: $(STAMP)  ## run every notebook again and store it clean (NOTEBOOKS=notebooks/00_start_here.ipynb)
	@$(HERMETIC) $(VENV_PYTHON) -m nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.kernel_name=python3 \
		--ExecutePreprocessor.store_widget_state=False $(NOTEBOOKS)
	@$(VENV_PYTHON) scripts/clean_notebooks.py $(NOTEBOOKS)

figures: $(STAMP)  ## measure the stored results again and draw the README's figures (FAST=1: a trial; DRAW=1: draw only)
	@$(VENV_PYTHON) scripts/figures $(if $(FAST),--fast --out build/figures) $(if $(DRAW),--draw)

docs: $(STAMP)  ## write the API reference into build/docs
	@$(VENV_PYTHON) scripts/docs.py

bench: $(STAMP)  ## speed, measured side by side, to benchmarks/RESULTS.md (OFFICIAL=its checkout)
	@$(VENV_PYTHON) -m benchmarks $(if $(OFFICIAL),--official "$(OFFICIAL)") $(ARGS)

lint: $(STAMP)  ## what pre-commit checks, without changing a file
	@$(VENV_PYTHON) -m ruff check
	@# Where no shape strings stand, an undefined name is one.
	@$(VENV_PYTHON) -m ruff check --isolated --quiet --select F821 \
		$$(grep -rL --include=*.py 'jaxtyping' gru4rec_lab scripts tests benchmarks)
	@$(VENV_PYTHON) -m ruff format --check
	@$(VENV_PYTHON) scripts/clean_notebooks.py --check $(NOTEBOOKS)
	@# Only contributors who change JavaScript need node.
	@if command -v node >/dev/null; then for script in $(SCRIPTS); do \
		node --check --input-type=module < $$script || exit 1; done; fi

format: $(STAMP)  ## sort imports, fix what ruff can fix, format
	@$(VENV_PYTHON) -m ruff check --fix --exit-zero
	@$(VENV_PYTHON) -m ruff format

clean:  ## remove caches and build leftovers; .venv, data and runs stay
	@rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage test-results
	@find . -path ./.venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -print0 | xargs -0 rm -rf
