# Two commands do all the set-up on a fresh Debian machine: `make demo` and `make test`. Every
# target uses the same build folder and the same flags, so that none pays for another's build.

PORT ?= 8420
SWIFT ?= swift
SWIFT_FILES = Sources Tests Package.swift Benchmarks/StoreBenchmark
.DEFAULT_GOAL := build
.PHONY: build test check lint docs devices demo demo-platforms torture fixture fuzz bench-store bench-field bench-alarms bench-accounts format clean help

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# The tests' build holds the executable too: one build serves demo, test and check.
build: ## builds everything, tests included
	@scripts/setup
	$(SWIFT) build --build-tests

# Unit tests run one after the other: on two cores, tests that compute starve tests that wait for a
# peer. The integration tests mostly wait for the clock, so their suites run beside each other. First
# of all the platforms in Python that judge our uplinks are judged themselves, which takes 8 s.
test: build ## builds and runs all tests (FILTER= narrows them)
ifdef FILTER
	$(SWIFT) test --skip-build --no-parallel --filter '$(FILTER)'
else
	cd Tests/Peers && ../../.venv/bin/python -m unittest test_platforms
	$(SWIFT) test --skip-build --no-parallel --skip IntegrationTests
	$(SWIFT) test --skip-build --filter IntegrationTests
endif

# Parameters: TORTURE_IMAGES, TORTURE_KILLS, TORTURE_DAEMON_KILLS, TORTURE_STRIDE, TORTURE_STORES,
# TORTURE_MINUTES; TORTURE_ONLY=images,kills picks some. The table goes into docs/torture.md.
torture: build ## the faults of docs/torture.md at full length, and their table
	.venv/bin/python Tests/StoreFaults/torture.py all

# The fuzzer has a build folder of its own, like the benchmarks. FUZZ_SECONDS= for each parser,
# FUZZ_ONLY=xml,bucket picks some, FUZZ_KEEP=1 puts what reaches something new into the corpus.
fuzz: ## libFuzzer over every parser of foreign bytes, a minute in all (docs/fuzzing.md)
	@scripts/setup --for check
	PLUMBLINE_FUZZ=1 $(SWIFT) build --scratch-path .build/fuzz --product Fuzzing
	python3 Tests/Fuzzing/fuzz.py --program .build/fuzz/debug/Fuzzing \
		$(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) --only '$(FUZZ_ONLY)' $(if $(FUZZ_KEEP),--keep)

fixture: build ## freezes a store of the present schema for the migration tests (NAME=)
	Tests/StoreFaults/freeze '$(NAME)'

check: build lint docs ## format lint, architecture tests, documentation with warnings as errors
	$(SWIFT) test --skip-build --filter ArchitectureTests

lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_FILES)

docs: build ## builds the documentation of every module
	scripts/documentation

devices: ## writes docs/devices.md anew from the profiles of Devices/
	@$(SWIFT) build --product plumbline
	.build/debug/plumbline devices --library --format markdown >docs/devices.md.new
	mv docs/devices.md.new docs/devices.md

# On a terminal the demo is a job of its own (set -m), so that Ctrl-C reaches it and not make: the
# demo stops in order, and make exits with its 0 instead of dying of the signal.
demo: ## a simulated site with its page on http://127.0.0.1:8420 (PORT= changes it)
	@scripts/setup --for demo
	@$(SWIFT) build --product plumbline
	@if [ -t 0 ]; then set -m; .build/debug/plumbline demo --port $(PORT); \
	else exec .build/debug/plumbline demo --port $(PORT); fi

demo-platforms: ## the same, reporting over HJ 212, energy upload, MQTT and remote write to strict receivers
	@scripts/setup --for test
	@$(SWIFT) build --product plumbline
	@if [ -t 0 ]; then set -m; fi; \
	.venv/bin/python Tests/Peers/demo_platforms.py .build/debug/plumbline --port $(PORT)

# Only here does Package.swift have the benchmarks' target, in a build folder of its own: a normal
# build pays nothing for it, and one release build holds it and the program that it measures.
BUILD_RELEASE = PLUMBLINE_BENCHMARKS=1 $(SWIFT) build -c release --scratch-path .build/benchmarks
bench-store: ## storage figures beside their peers; QUICK=1 ends within five minutes once built
	@scripts/setup --for bench
	$(BUILD_RELEASE) --product plumbline
	$(BUILD_RELEASE) --product StoreBenchmark
	python3 Benchmarks/store.py --binaries .build/benchmarks/release --docs docs/benchmarks.md \
		$(if $(QUICK),--quick)

bench-field: ## field figures beside bare libraries and collectd; QUICK=1 ends within five minutes
	@scripts/setup --for bench
	$(BUILD_RELEASE) --product plumbline
	python3 Benchmarks/field.py --binaries .build/benchmarks/release --docs docs/benchmarks.md \
		$(if $(QUICK),--quick)

bench-alarms: ## how soon an alarm is told, beside a bare publish and POST; QUICK=1 ends within five minutes
	@scripts/setup --for bench
	$(BUILD_RELEASE) --product plumbline
	python3 Benchmarks/alarms.py --binaries .build/benchmarks/release --docs docs/benchmarks.md \
		$(if $(QUICK),--quick)

bench-accounts: ## a year of hours of 100 meters, accounted for
	@scripts/setup --for bench
	$(BUILD_RELEASE) --product StoreBenchmark
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		.build/benchmarks/release/StoreBenchmark accounts --data "$$folder" \
		| python3 -m json.tool --sort-keys | tee Benchmarks/results/accounts.json

format: ## formats every Swift file
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_FILES)

clean: ## removes what builds have left
	rm -rf .build
