# The only entry point; CI calls the same targets. `make` lists them.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# KEEP=1 leaves the demo running; CLUSTER=current uses the cluster of your KUBECONFIG.
export KEEP CLUSTER

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: prereqs ## Watch a cluster's whole life on a private control plane (KEEP=1, CLUSTER=current)
	@if [ "$(CLUSTER)" != current ]; then hack/control-plane.sh >/dev/null; fi
	@cargo build --locked --bins
	@cargo run --quiet --locked --example demo

.PHONY: test
test: prereqs ## Run everything that CI runs
	@hack/test.sh

.PHONY: test-deep
test-deep: prereqs ## Run the long suites (hours)
	@hack/test.sh --deep

# A KUBECONFIG in the command line is one to be used; one in the environment may be anybody's (hack/e2e.sh).
ifeq ($(origin KUBECONFIG),command line)
test-e2e: export CLUSTER = current
endif
.PHONY: test-e2e
test-e2e: prereqs ## The chart on a real node, helm install to kubectl delete crd (KUBECONFIG=..., KEEP=1)
	@hack/e2e.sh

.PHONY: bench
bench: prereqs ## Measure the programs as the images hold them
	@hack/control-plane.sh >/dev/null
	@cargo build --locked --profile image --bins
	@cargo run --quiet --locked --profile image --example bench

.PHONY: image
image: ## Build the images of operator and simulator into target/image (no container engine)
	@hack/prereqs.sh --no-go
	@hack/image.sh

.PHONY: image-check
image-check: prereqs ## Build them twice, compare, and run what is in them
	@hack/control-plane.sh >/dev/null
	@hack/image-check.sh

.PHONY: generate
generate: prereqs ## Write the generated files (crds/, tables in docs/ and the chart, deploy/, recorded objects)
	@cargo run --quiet --locked --example generate
	@hack/manifests.sh
	@RECORD=1 cargo test --quiet --locked --test gitops recorded::the >/dev/null

.PHONY: lint
lint: prereqs ## Format, clippy and dependency checks
	@cargo fmt --check
	@cargo clippy --locked --all-targets -- -D warnings
	@hack/shellcheck.sh || [ $$? -eq 77 ]
	@hack/deny.sh
	@hack/deny.sh --advisories || [ $$? -eq 77 ]

.PHONY: control-plane
control-plane: ## Build kube-apiserver, etcd and kubectl into the cache (once)
	@hack/control-plane.sh

.PHONY: prereqs
prereqs: ## Check that Rust, Go, a C compiler and git are there
	@hack/prereqs.sh
