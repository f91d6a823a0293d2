# Upsampling by Hand. `make` lists the targets; each is one line of real work.

PYTHON ?= python3
BIN := .venv/bin
ENV := .venv/.ready
SITE := _build/html/index.html
SAMPLE := _build/sample-course
PORT ?= 8000

SPECS := $(shell find solutions autograde -name '*.py')
RECORDS := $(wildcard benchmarks/*.json benchmarks/gpu/*.json tests/attacks/*.json)
BOOK := _config.yml _toc.yml $(RECORDS) $(shell find book -type f -not -path '*/__pycache__/*')
STUDENTS := $(shell find tests/sample_class -name '*.py')

.PHONY: help course test env book exercises serve lab bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

# The sample class is ours: where there is no sandbox it is graded without.
course: $(SITE) $(SAMPLE)/.handed-in ## everything: environment, learners' notebooks, book, a graded sample class
	@$(BIN)/autograde grade ps03 --course $(SAMPLE) --unsandboxed
	@$(MAKE) --silent --no-print-directory $(SAMPLE)/.feedback
	@echo
	@echo "the book              $(SITE)"
	@echo "                      make serve   shows it at http://localhost:$(PORT)"
	@echo "learners' notebooks   exercises/"
	@echo "                      make lab     opens copies of them, in work/, in JupyterLab"
	@echo "feedback pages        $(SAMPLE)/feedback/"
	@echo "                      for example  $(SAMPLE)/feedback/chen/ps03-transposed-conv-1d/ps03-transposed-conv-1d.html"

test: $(ENV) ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

env: $(ENV) ## the environment alone, in .venv
$(ENV): requirements.txt requirements-triton.txt pyproject.toml tools/make_env.py
	@$(PYTHON) tools/make_env.py

book: $(SITE) ## the book, in _build/html
$(SITE): $(ENV) $(BOOK) $(SPECS)
	@echo "building the book, which takes a minute the first time (log: _build/book.log)"
	@mkdir -p _build
	@$(BIN)/jupyter-book build . -W -n --keep-going > _build/book.log 2>&1 \
	  || { tail -n 40 _build/book.log; exit 1; }
	@touch $@

exercises: _build/.released ## the learners' notebooks, in exercises/
_build/.released: $(ENV) $(SPECS)
	$(BIN)/autograde release
	@mkdir -p _build && touch $@

$(SAMPLE)/.handed-in: _build/.released $(STUDENTS)
	@$(BIN)/python tests/sample_class/hand_in.py $(SAMPLE)
	@touch $@

# The ledger changes when a submission has been graded.
$(SAMPLE)/.feedback: $(SAMPLE)/graded.jsonl
	@$(BIN)/autograde feedback ps03 --course $(SAMPLE) > /dev/null
	@touch $@

serve: $(SITE) ## show the built site on localhost (another port: make serve PORT=9000)
	@$(BIN)/python -c "import socket; socket.create_server(('127.0.0.1', $(PORT)))" 2> /dev/null \
	  || { echo "port $(PORT) is in use; choose another: make serve PORT=9000"; exit 1; }
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lab: $(ENV) ## open copies of the learners' notebooks, in work/, in JupyterLab
	@mkdir -p work && cp -Rn exercises/. work/
	$(BIN)/jupyter lab --LabApp.news_url=None work

bench: $(ENV) ## measure grading against plain nbgrader (half an hour; leave the machine alone)
	$(BIN)/python -m benchmarks.grading

clean: ## remove what was built, but not the environment
	rm -rf _build
