# Rotor's own tasks. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash

# What is built: ARCH as in template.yaml, and every folder of functions/.
ARCH      ?= arm64
FUNCTIONS ?= $(notdir $(patsubst %/,%,$(dir $(wildcard functions/*/main.go))))
# Those of them that rotate.
ROTATE    = $(filter-out watcher,$(FUNCTIONS))
ENGINE    ?= postgres
FUZZTIME  ?= 10s
# Drivers that the race detector looks at, if not those of all engines with real
# servers: ./rotators/... takes imitations too.
RACE      ?=

# Modules of their own.
EXAMPLES := examples/apikey

GOARCH_arm64  := arm64
GOARCH_x86_64 := amd64
GOARCH_       := $(GOARCH_$(ARCH))

# What the operator's command is released for.
ROTOR_FOR := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64

# A release is static, stripped, and the same bytes whoever builds it.
RELEASE := -trimpath -buildvcs=false -tags lambda.norpc -ldflags '-s -w -buildid='

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
CYCLONEDX   := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

.PHONY: help demo test race sweep build rotor sbom package generate sam invoke emulate lint bench guarantees grammar mutants live servers fuzz certificates model dependencies clean

help: ## List the tasks
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Rotate a real secret on this machine, and see each step (ENGINE=mysql or another one that go run ./examples/demo -list names; KEEP=1 leaves it running)
	@go run ./examples/demo -engine $(ENGINE) $(if $(KEEP),-keep)

test: ## Run all tests on the servers that are found, and say which these were; TESTFLAGS=-race and so on
	@go run ./scripts/test . $(EXAMPLES) -- $(TESTFLAGS) ./...

race: ## Run what runs in the tests' own process with the race detector, on the newest real server of each product
	@ROTOR_TEST_SERVERS=newest ROTOR_TEST_SWEEP=none go run ./scripts/test -- -race -vet=off -timeout 20m -p 3 ./framework/... ./internal/... ./scripts/gotest ./scripts/install ./scripts/scale
	@ROTOR_TEST_SERVERS=newest ROTOR_TEST_SWEEP=none go run ./scripts/test -- -race -vet=off -timeout 20m -p 3 -run 'Conformance|Failover|AtOnce|Drop|CutOff' -skip 'TwoSuites|WithoutTLS|Conformance/(DocumentDB|(Redis|Valkey).*[a-z]$$)' $(or $(RACE),$$(go run ./scripts/engines/real))

sweep: ## Put a fault at every point of every engine, and kill the built functions there
	@go run ./scripts/test -- -timeout 20m -run 'Conformance|TheProcess|AnOperator' ./rotators/... ./functions/...

build: ## Build every function into dist/<function>/bootstrap (ARCH=arm64 or x86_64)
	@test -n "$(GOARCH_)" || { echo "ARCH is arm64 or x86_64, not '$(ARCH)'"; exit 2; }
	@for f in $(FUNCTIONS); do \
	  mkdir -p dist/$$f && CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_) go build $(RELEASE) -o dist/$$f/bootstrap ./functions/$$f && \
	  chmod 0755 dist/$$f/bootstrap && echo "dist/$$f/bootstrap ($(ARCH))" || exit 1; \
	done

rotor: ## Build the operator's command into dist/rotor-<os>-<architecture>, for each of ROTOR_FOR, and its man pages and completion scripts into dist/rotor-manual
	@for for in $(ROTOR_FOR); do \
	  CGO_ENABLED=0 GOOS=$${for%-*} GOARCH=$${for#*-} go build $(RELEASE) -o dist/rotor-$$for$$(case $$for in windows-*) echo .exe;; esac) ./cmd/rotor && \
	  echo "dist/rotor-$$for" || exit 1; \
	done
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) go run -tags man ./cmd/rotor dist/rotor-manual && echo dist/rotor-manual

sbom: build ## Write what each function is made of into dist/<function>.cdx.json (CycloneDX)
	@scripts/sbom.sh $(CYCLONEDX) $(GOARCH_) $(FUNCTIONS)

package: sbom ## Zip every function into dist/<function>.zip, the same bytes each time, with all sums
	@go run ./scripts/package -dist dist $(FUNCTIONS)

generate: ## Write what is made of the table of engines (template.yaml, the drivers that cmd/rotor links, and the parts of README.md and docs/deploy.md that list engines), and what the documents show of rotor
	@go run ./scripts/generate
	@ROTOR_WRITE_DOCUMENTS=1 go test -count=1 -run TestTheDocumentsShowWhatRotorSays ./cmd/rotor

sam: ## Check the templates by the SAM CLI and cfn-lint, what sam build makes, and that it deploys (into moto)
	@scripts/sam/check.sh

invoke: ## Rotate by sam local invoke, in Docker
	@scripts/sam/local.sh $(ROTATE)

emulate: ## Rotate with the functions as built for arm64, under qemu
	@scripts/tools.sh qemu
	@$(MAKE) --no-print-directory build ARCH=arm64
	@go run ./scripts/rotate $(ROTATE)

lint: ## Check formatting, vet, staticcheck, known vulnerabilities, go.mod and the import rule
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not formatted:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@for m in $(EXAMPLES); do (cd $$m && go vet ./... && go run $(STATICCHECK) ./... && go mod tidy -diff) || exit 1; done
	@cp go.mod go.sum "$${TMPDIR:-/tmp}" && go mod tidy && \
	  { cmp -s go.mod "$${TMPDIR:-/tmp}/go.mod" && cmp -s go.sum "$${TMPDIR:-/tmp}/go.sum" || { echo "go.mod or go.sum was not tidy; it is now"; exit 1; }; }
	go test -count=1 -run 'Import|Dependenc' ./framework
	@scripts/vulnerabilities.sh $(GOVULNCHECK)

bench: ## Measure the built functions and write docs/benchmarks.md
	go run ./scripts/bench -o docs/benchmarks.md
	go run ./scripts/scale >> docs/benchmarks.md

guarantees: ## Run all tests with a fault at every point, and write docs/guarantees.md (half an hour)
	go run ./scripts/guarantees -o docs/guarantees.md

grammar: ## Have parsers that others wrote read every statement sent to SQL Server, Oracle and Redshift (GRAMMAR=oracle for some)
	@go run ./scripts/grammar $(GRAMMAR)

mutants: ## Break the code in each way of a list, and see that a test notices
	@go run ./scripts/mutants

live: ## Run an engine's tests on a server of yours, and write a report (ENGINE=sqlserver and so on; it says how to get a server)
	@go run ./scripts/live $(ENGINE)

servers: ## Fetch the real servers that tests use into a cache (SERVERS="mysql postgres-18" for some); the system's packages stay as they are
	@go run ./scripts/install $(SERVERS)

fuzz: ## Run each fuzz test for FUZZTIME (10s)
	@grep -o '^func Fuzz[A-Za-z0-9]*' $$(git ls-files '*_test.go') | while IFS=: read -r file f; do \
	  echo "./$${file%/*} $${f#func }"; go test -run '^$$' -fuzz "^$${f#func }$$" -fuzztime $(FUZZTIME) ./$${file%/*} || exit 1; \
	done

certificates: ## Fetch the certificate authorities of RDS anew
	@scripts/certificates.sh

model: ## Fetch what the service model of Secrets Manager says of the requests anew
	@scripts/model.sh

dependencies: ## Write docs/dependencies.txt, the modules that each function links
	@go run ./scripts/dependencies > docs/dependencies.txt && cat docs/dependencies.txt

clean: ## Remove dist/
	rm -rf dist
