# make demo   a virtual environment, percept in it, and first answers: objects, depth, speech, a story, a text
# make test   the same environment with the test extras, and the whole suite
PYTHON ?= python3
VENV ?= .venv
SOURCES := pyproject.toml $(shell find src weights -type f -not -name '*.pyc')

.PHONY: demo test lint clean

demo: $(VENV)/demo
	$(VENV)/bin/percept detect examples/street_people_cars.jpg --out out
	$(VENV)/bin/percept stereo examples/stereo/motorcycle/im0.png examples/stereo/motorcycle/im1.png \
		--calib examples/stereo/motorcycle/calib.txt --out out
	$(VENV)/bin/percept scene-parse examples/street_people_cars.jpg --out out
	$(VENV)/bin/percept acoustic examples/sentence.opus --out out --save
	$(VENV)/bin/percept align examples/sentence.opus examples/sentence.txt
	$(VENV)/bin/percept qa examples/stories/garden.txt --out out
	$(VENV)/bin/percept lm generate "It was a" --length 40 --seed 3

test: $(VENV)/test lint
	$(VENV)/bin/python -m pytest

lint: $(VENV)/test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

clean:
	rm -rf $(VENV) out

$(VENV)/demo: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet .
	touch $@

$(VENV)/test: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet -e '.[test]'
	touch $@ $(VENV)/demo
