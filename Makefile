# Penstock's commands. `make` alone lists them.
SHELL := /bin/bash
SWIFT ?= swift
export SWIFT

.DEFAULT_GOAL := help
.PHONY: help deps build test test-libraries test-other-debian test-debian12 test-debian13 fault-run wheel test-python test-python-torch deploy-check cluster-check demo serve bench soak dist deb deb-debian12 deb-debian13 deb-check image-check clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install the Debian packages that building needs
	@scripts/install-debian-packages.sh build

build: deps ## Build both programs into .build/release
	@scripts/require-swift.sh
	$(SWIFT) build -c release

test: ## Install what tests need, build once, run every test
	@scripts/install-debian-packages.sh build test
	@scripts/require-swift.sh
	@scripts/test.sh

# Without what takes minutes and no library of the system's: the messages that are made up for the gateway.
test-libraries: ## The same without the programs: every library's suites and the matrices
	@scripts/install-debian-packages.sh build test
	@scripts/require-swift.sh
	@PENSTOCK_TESTS=libraries scripts/test.sh --skip '^EndToEndTests\.' --skip '^FaultRunTests\.' --skip '^GatewayTests\.EncoderFuzzTests'

test-other-debian: ## Run test-libraries on the one of Debian 12 and 13 that this is not (as root)
	@scripts/in-debian.sh other make test-libraries

test-debian12: ## Run every test in a minimal root of Debian 12 (as root; kept in PENSTOCK_ROOTS)
	@scripts/in-debian.sh bookworm make test

test-debian13: ## Run every test in a minimal root of Debian 13 (as root; kept in PENSTOCK_ROOTS)
	@scripts/in-debian.sh trixie make test

fault-run: ## Run every filter, encoder and muxer over odd input, and nothing else
	@scripts/install-debian-packages.sh build test
	@scripts/require-swift.sh
	@scripts/test.sh --filter FaultRunTests

wheel: ## Build the Python client's wheel, into dist/
	@scripts/wheel.sh

test-python: build ## Install the wheel into a venv and run the Python client's tests (ARGS="-k resume")
	@scripts/install-debian-packages.sh test
	@scripts/test-python.sh $(ARGS)

test-python-torch: build ## Run the Python client beside torchaudio 2.8 and torchcodec 0.17 (gigabytes, once)
	@scripts/install-debian-packages.sh test
	@scripts/test-python-torch.sh $(ARGS)

deploy-check: build ## Hold deploy/ against promtool, Kubernetes' schemas, HAProxy, nginx and systemd
	@scripts/install-debian-packages.sh deploy
	@scripts/deploy-check.sh

cluster-check: build ## Three nodes behind HAProxy: drained, killed and added under load (as root)
	@scripts/install-debian-packages.sh deploy
	@scripts/cluster-check.sh

demo: ## Encode the bundled clip through a server with plain curl
	@scripts/install-debian-packages.sh build demo
	@scripts/require-swift.sh
	$(SWIFT) build -c release
	@scripts/demo.sh

serve: build ## Run a server on 127.0.0.1:8080 (ARGS="--port 9000 …")
	.build/release/penstock serve $(ARGS)

bench: build ## Measure beside nginx, ffmpeg, torchaudio … (ROUNDS=5 ONLY=video,audio)
	@scripts/install-debian-packages.sh bench
	python3 -m bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) $(ARGS)

soak: build ## Half an hour of mixed work, memory read all along (MINUTES=5)
	@scripts/install-debian-packages.sh bench
	python3 -m bench.soak $(if $(MINUTES),--minutes $(MINUTES))

dist: deps ## Build programs that need no Swift runtime, into dist/
	@scripts/require-swift.sh
	@for program in penstock penstock-encoder; do \
		$(SWIFT) build -c release --static-swift-stdlib --scratch-path .build-static --product $$program || exit; \
	done
	@mkdir -p dist/bin
	install -s .build-static/release/penstock .build-static/release/penstock-encoder dist/bin

deb: dist ## Pack a Debian package of this machine's release, into dist/
	@scripts/install-debian-packages.sh deb
	@scripts/deb.sh

deb-debian12: ## Pack one of Debian 12, on another release in a root of it (as root)
	@scripts/deb.sh bookworm

deb-debian13: ## Pack one of Debian 13, likewise
	@scripts/deb.sh trixie

deb-check: deb-debian12 deb-debian13 ## Install, use, upgrade and purge both packages, each in a root (as root)
	@scripts/install-debian-packages.sh deb-check
	@scripts/deb-check.sh dist/penstock_*~deb12_*.deb dist/penstock_*~deb13_*.deb

image-check: ## Build the Dockerfile and run the image, without Docker or a registry (as root)
	@scripts/install-debian-packages.sh image
	@scripts/require-swift.sh
	@scripts/image-check.sh

clean: ## Remove everything built and the demo's output
	rm -rf .build .build-static .build-bench .build-deb .build-python dist demo-output
