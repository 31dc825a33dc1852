# Needs Go, make, git and bash; every other tool is built from the versions pinned in
# hack/tools/go.mod. "make help" lists the targets.

# The image that docker-build, deploy and build-installer name.
IMG ?= controller:latest
# The platforms that image and image-push build.
PLATFORMS ?= linux/amd64,linux/arm64
# What build-installer, deploy and undeploy are about: config/default-split, or an overlay of your own, instead.
CONFIG ?= config/default
# How long purge waits for the operator to delete numbers at their gateways.
PURGE_WAIT ?= 60s
# What go test is told besides, such as GOTESTFLAGS="-v -run TestPlan".
GOTESTFLAGS ?=
# How many packages are tested at once. The suites start API servers: more gets slower.
TEST_PACKAGES_AT_ONCE ?= 2
# How long each fuzz target runs.
FUZZTIME ?= 30s
# How many targets run at once, and with how many workers each.
FUZZ_TARGETS_AT_ONCE ?= 1
FUZZ_WORKERS ?= 2
# What the demo, the attacks, the benchmark and the search for mutants are told.
DEMOFLAGS ?=
ATTACKFLAGS ?=
BENCHFLAGS ?=
MUTATEFLAGS ?=
# Further files of texts for guard-eval, and what it is told (-v prints every text).
GUARD_TEXTS ?=
GUARDEVALFLAGS ?=
# What is already there on a machine with a cluster.
CONTAINER_TOOL ?= docker
KUBECTL ?= kubectl

GO ?= go
# The same for everything that is built here, the control plane too: what two of them share is compiled once. For the
# same reason bin/manager has its paths. CGO_ENABLED=1 for the race detector.
export CGO_ENABLED ?= 0
TOOL = $(GO) tool -modfile=hack/tools/go.mod
CONTROLLER_GEN = $(TOOL) controller-gen
KUSTOMIZE = $(TOOL) kustomize
GOLANGCI_LINT = $(TOOL) golangci-lint-kube-api-linter
# Names KUBEBUILDER_ASSETS for the rest of a recipe's line. Written this way so that a
# failure to prepare the control plane stops the recipe.
WITH_CONTROL_PLANE = assets="$$($(GO) run ./hack/controlplane)" && KUBEBUILDER_ASSETS="$$assets"

SHELL = /usr/bin/env bash -o pipefail
.SHELLFLAGS = -ec

.PHONY: all
all: generate manifests fmt vet build ## Generate, format, vet and build.

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; printf "\nUsage:\n  make \033[36m<target>\033[0m\n"} \
		/^[a-zA-Z_0-9-]+:.*?##/ { printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2 } \
		/^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) }' $(MAKEFILE_LIST)

##@ Development

# The folders with a go.mod.
MODULES = $(dir $(shell git ls-files go.mod '*/go.mod'))

# Which program this is, for --version, the log and the metric build_info.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
VERSION_PACKAGE = cartrecovery.dev/operator/internal/version
LDFLAGS = -X $(VERSION_PACKAGE).version=$(VERSION) -X $(VERSION_PACKAGE).revision=$(REVISION)

# Where markers are read. A variable each, because verify generates the same elsewhere.
GENERATE_OBJECTS = $(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...
GENERATE_CRDS = $(CONTROLLER_GEN) crd paths=./api/...
GENERATE_ROLES = $(CONTROLLER_GEN) rbac:roleName=manager-role paths=./controllers/... paths=./webhookserver/... paths=./internal/serving/...
# The roles of a process that only takes webhooks, and of one that only runs the controllers.
GENERATE_CONTROLLERS_ROLE = $(CONTROLLER_GEN) rbac:roleName=controllers-role,fileName=controllers_role.yaml paths=./controllers/... paths=./internal/serving/...
GENERATE_WEBHOOKS_ROLE = $(CONTROLLER_GEN) rbac:roleName=webhooks-role,fileName=webhooks_role.yaml paths=./webhookserver/... paths=./internal/webhookkeys/... paths=./internal/serving/...

.PHONY: generate
generate: ## Generate the DeepCopy methods of the API types.
	$(GENERATE_OBJECTS)

.PHONY: manifests
manifests: ## Generate the CRDs and roles from the markers, and what the chart and config/namespaced have of them.
	$(GENERATE_CRDS) output:crd:artifacts:config=config/crd/bases
	$(GENERATE_ROLES) output:rbac:artifacts:config=config/rbac
	$(GENERATE_CONTROLLERS_ROLE) output:rbac:artifacts:config=config/split
	$(GENERATE_WEBHOOKS_ROLE) output:rbac:artifacts:config=config/split
	$(GO) run ./hack/chart

.PHONY: tidy
tidy: ## Tidy every go.mod.
	@for module in $(MODULES); do (cd "$$module" && $(GO) mod tidy) || exit 1; done

# Compares docs/configuration.md with the flags, which only the program itself knows.
FLAGS_DOCUMENTED = $(GO) test -run '^TestFlagsAreDocumented$$' .

.PHONY: docs
docs: ## Write the references and tables of the documentation that come from the code.
	$(GO) run ./hack/docs
	$(FLAGS_DOCUMENTED) -args -update

.PHONY: verify
verify: ## Fail if generated files are not what the sources generate, or a go.mod is not tidy.
	@fresh="$$(mktemp -d)"; trap 'rm -rf "$$fresh"' EXIT; \
	$(GENERATE_OBJECTS) output:dir="$$fresh/api"; \
	$(GENERATE_CRDS) output:crd:artifacts:config="$$fresh/crd"; \
	$(GENERATE_ROLES) output:rbac:artifacts:config="$$fresh/rbac"; \
	$(GENERATE_CONTROLLERS_ROLE) output:rbac:artifacts:config="$$fresh/split"; \
	$(GENERATE_WEBHOOKS_ROLE) output:rbac:artifacts:config="$$fresh/split"; \
	same=true; \
	compare() { git --no-pager diff --no-index --exit-code -- "$$1" "$$2" || same=false; }; \
	compare api/v1alpha1/zz_generated.deepcopy.go "$$fresh/api/zz_generated.deepcopy.go"; \
	compare config/crd/bases "$$fresh/crd"; \
	compare config/rbac/role.yaml "$$fresh/rbac/role.yaml"; \
	compare config/split/controllers_role.yaml "$$fresh/split/controllers_role.yaml"; \
	compare config/split/webhooks_role.yaml "$$fresh/split/webhooks_role.yaml"; \
	if ! $$same; then \
		echo "Generated files are not up to date: see the difference above, run 'make generate manifests', commit the result." >&2; \
		exit 1; \
	fi; \
	$(GO) run ./hack/chart -check; \
	$(GO) run ./hack/docs -check; \
	$(FLAGS_DOCUMENTED); \
	for module in $(MODULES); do (cd "$$module" && $(GO) mod tidy -diff) || same=false; done; \
	if ! $$same; then \
		echo "A go.mod or go.sum is not tidy: see the difference above, run 'make tidy', commit the result." >&2; \
		exit 1; \
	fi; \
	echo "Generated files are up to date, and every go.mod is tidy."

.PHONY: fmt
fmt: ## Format the Go sources.
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet.
	$(GO) vet ./...

# The modules besides the first that have Go code of ours.
LINTED_MODULES = hack/image hack/install hack/monitoring

.PHONY: lint
lint: ## Run the linters of .golangci.yml, in every module.
	$(GOLANGCI_LINT) run
	@linter="$$($(TOOL) -n golangci-lint-kube-api-linter)"; \
	for module in $(LINTED_MODULES); do echo "in $$module"; (cd "$$module" && "$$linter" run) || exit 1; done

.PHONY: lint-fix
lint-fix: ## Run the linters and fix what they can fix.
	$(GOLANGCI_LINT) run --fix

##@ Test

.PHONY: control-plane
control-plane: ## Prepare kube-apiserver, etcd, kubectl and cluster-controllers; print where they are.
	@$(GO) run ./hack/controlplane

.PHONY: test
test: ## Run all tests, those against a real API server included.
	$(WITH_CONTROL_PLANE) $(GO) test -p $(TEST_PACKAGES_AT_ONCE) -timeout 20m $(GOTESTFLAGS) ./...
	$(GO) -C hack/image test $(GOTESTFLAGS) ./...
	$(WITH_CONTROL_PLANE) $(GO) -C hack/install test -parallel 4 -timeout 20m $(GOTESTFLAGS) ./...
	$(MAKE) test-monitoring

# What the demo's manager answered to a scraper, for the dashboards.
METRICS = $(CURDIR)/dist/metrics

.PHONY: test-monitoring
test-monitoring: ## Test alerts and dashboards with Prometheus' own rules, and on the metrics of a demo that runs.
	@rm -rf "$(METRICS)"
	@$(MAKE) --no-print-directory demo DEMOFLAGS="--metrics $(METRICS)"
	cd hack/monitoring && METRICS="$(METRICS)" $(GO) test -timeout 5m $(GOTESTFLAGS) ./...

# The release whose objects and operator the tests of upgrades take, and where they are kept.
PREVIOUS ?= $(shell git describe --tags --abbrev=0 2>/dev/null)
PREVIOUS_FOLDER = hack/install/testdata/previous

.PHONY: previous
previous: ## Keep what PREVIOUS, the last tag or a commit, stores: its CRDs, and what its demo leaves behind.
	@if [[ -z "$(PREVIOUS)" ]]; then echo "There is no tag: say PREVIOUS=commit." >&2; exit 1; fi
	@old="$$(mktemp -d)"; trap 'rm -rf "$$old"' EXIT; \
	git archive "$(PREVIOUS)" | tar -x -C "$$old"; \
	$(MAKE) -C "$$old" demo DEMOFLAGS="--export $$old/objects.yaml"; \
	rm -rf $(PREVIOUS_FOLDER); mkdir -p $(PREVIOUS_FOLDER)/crds; \
	cp "$$old"/config/crd/bases/*.yaml $(PREVIOUS_FOLDER)/crds/; \
	cp "$$old/objects.yaml" $(PREVIOUS_FOLDER)/; \
	git rev-parse "$(PREVIOUS)^{commit}" > $(PREVIOUS_FOLDER)/commit

# Of the version that the tests of hack/monitoring are linked with.
PROMTOOL = CGO_ENABLED=0 $(GO) run github.com/prometheus/prometheus/cmd/promtool@$$(cd hack/monitoring && \
	$(GO) list -m -f '{{.Version}}' github.com/prometheus/prometheus)

.PHONY: promtool
promtool: ## Run the tests of the alerts with promtool itself; the first time compiles it, for some minutes.
	@mkdir -p dist/promtool
	@sed '1,/^spec:/d; s/^  //' config/monitoring/alerts.yaml > dist/promtool/rules.yaml
	@cp config/monitoring/alerts_test.yaml dist/promtool/
	$(PROMTOOL) check rules dist/promtool/rules.yaml
	$(PROMTOOL) test rules dist/promtool/alerts_test.yaml

.PHONY: test-unit
test-unit: ## Run the tests that need no API server (go test -short).
	$(GO) test -short -timeout 2m $(GOTESTFLAGS) ./...

.PHONY: simulate
simulate: ## Play a week of 20 stores and 5,000 leads in seconds, and print what happened.
	$(GO) test -count=1 -v -run '^TestWeek$$' -timeout 10m ./controllers/cartrecovery -args -simulate

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME, FUZZ_TARGETS_AT_ONCE together.
	@$(GO) test -list '^Fuzz' ./... | \
	awk '/^Fuzz/ { target[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, target[i]; n = 0 }' | \
	xargs -n 2 -P $(FUZZ_TARGETS_AT_ONCE) bash -o pipefail -c '\
		echo "fuzzing $$1 of $$0 for $(FUZZTIME)"; \
		if out="$$($(GO) test -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -parallel $(FUZZ_WORKERS) "$$0" 2>&1 </dev/null)"; \
		then echo "clean: $$1:$$(grep execs: <<<"$$out" | tail -1 | cut -d, -f2)"; \
		elif grep -q "context deadline exceeded" <<<"$$out" && ! grep -q "Failing input" <<<"$$out"; \
		then echo "clean: $$1:$$(grep execs: <<<"$$out" | tail -1 | cut -d, -f2) (go test called the end of the time a failure)"; \
		else echo "$$out"; exit 255; fi'

.PHONY: mutate
mutate: ## Change the code that decides in small ways, and fail where the tests see less than 90 % (MUTATEFLAGS).
	@$(GO) run ./hack/mutate -min 90 $(MUTATEFLAGS)

.PHONY: guard-eval
guard-eval: ## Judge the guard's texts, and those of GUARD_TEXTS, by words and, with OPENAI_API_KEY, by review.
	@$(GO) run ./hack/guardeval $(GUARDEVALFLAGS) $(GUARD_TEXTS)

.PHONY: bench
bench: build ## Measure how many leads a second the operator handles, and how late messages are.
	$(WITH_CONTROL_PLANE) $(GO) run ./hack/bench $(BENCHFLAGS)

.PHONY: attack
attack: build ## Attack the operator as strangers would, with good deliveries beside, and print what those notice.
	$(WITH_CONTROL_PLANE) $(GO) run ./hack/attack $(ATTACKFLAGS)

.PHONY: bench-go
bench-go: ## Run the Go benchmarks of the packages.
	$(GO) test -run '^$$' -bench . -benchmem -timeout 20m $(GOTESTFLAGS) ./...

##@ Build and run

# Not stamped with the commit: git refuses to tell it in a clone of another user, as in
# many a CI container, and then nothing would be built.
.PHONY: build
build: ## Build bin/manager.
	$(GO) build -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/manager .

.PHONY: build-plugin
build-plugin: ## Build bin/kubectl-cartrecovery, a plugin of kubectl.
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags "$(LDFLAGS)" -o bin/ ./cmd/kubectl-cartrecovery

PLUGIN_PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: release-plugin
release-plugin: ## Write the plugin for PLUGIN_PLATFORMS to dist/plugin/, an archive each, with their checksums.
	@rm -rf dist/plugin; mkdir -p dist/plugin
	@for platform in $(PLUGIN_PLATFORMS); do \
		folder="$$(mktemp -d)"; name="kubectl-cartrecovery-$${platform/\//-}.tar.gz"; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) build -buildvcs=false -trimpath \
			-ldflags "-s -w $(LDFLAGS)" -o "$$folder/" ./cmd/kubectl-cartrecovery; \
		cp LICENSE "$$folder/"; \
		tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$$(git log -1 --format=%ct)" \
			--directory "$$folder" . | gzip -n > "dist/plugin/$$name"; \
		rm -rf "$$folder"; echo "dist/plugin/$$name"; \
	done
	@cd dist/plugin && sha256sum *.tar.gz > checksums.txt

# The control plane first: it says how far it is, and has compiled most of what the manager needs.
.PHONY: demo
demo: ## Play a recovery from cart to purchase against a real API server, then stop.
	@echo "Preparing a control plane, unless there is one"
	@$(WITH_CONTROL_PLANE); export KUBEBUILDER_ASSETS; \
	echo "Building the manager and the demo (a minute or two the first time)"; \
	$(MAKE) --no-print-directory build && $(GO) run ./hack/demo $(DEMOFLAGS)

.PHONY: run
run: DEMOFLAGS += --stay
run: demo ## Start the operator with a control plane and simulators, and keep it running.

.PHONY: docker-build
docker-build: ## Build the image IMG.
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) -t $(IMG) .

.PHONY: bin/image
bin/image:
	$(GO) -C hack/image build -o ../../bin/image .

IMAGE = bin/image -platforms "$(PLATFORMS)" -version "$(VERSION)" -revision "$(REVISION)" \
	-ldflags "-s -w $(LDFLAGS)" -created "$$(git log -1 --format=%ct)"

.PHONY: image
image: bin/image ## Write the image for PLATFORMS to dist/image.tar, an OCI archive; needs no container engine.
	@mkdir -p dist
	$(IMAGE) -tag "$(VERSION)" -archive dist/image.tar

.PHONY: image-push
image-push: bin/image ## Build the image for PLATFORMS and push it to IMG; needs no container engine.
	@mkdir -p dist
	$(IMAGE) -push "$(IMG)" -digest-file dist/image.digest

# helm of the version that the tests use.
HELM = $(GO) -C hack/install run helm.sh/helm/v4/cmd/helm

.PHONY: chart-package
chart-package: ## Write the chart of VERSION (1.2.3, or v1.2.3) to dist/.
	@mkdir -p dist
	$(HELM) package ../../charts/cart-recovery-operator --version "$(VERSION:v%=%)" --app-version "$(VERSION:v%=%)" \
		--destination ../../dist

.PHONY: build-installer
build-installer: ## Write all manifests of CONFIG, for IMG, to dist/install.yaml.
	@mkdir -p dist
	$(KUSTOMIZE) build $(CONFIG) | sed 's|image: controller:latest$$|image: $(IMG)|' > dist/install.yaml

.PHONY: clean
clean: ## Remove what was built here. The control plane stays in setup-envtest's store.
	rm -rf bin dist

##@ Deployment, to the cluster of the current kubeconfig

.PHONY: install
install: ## Install the CRDs.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: confirmed ## Remove the CRDs, and with them every resource of theirs. Needs CONFIRM=yes; purge does more.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found --timeout=60s -f -

.PHONY: deploy
deploy: build-installer ## Deploy the operator of CONFIG with the image IMG.
	$(KUBECTL) apply --server-side -f dist/install.yaml

# Everything of CONFIG but the CRDs and the namespace: those hold data.
define UNDEPLOYED
resources: [../../$(CONFIG)]
patches:
- target: {kind: CustomResourceDefinition}
  patch: |-
    {$$patch: delete, apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: any}}
- target: {kind: Namespace}
  patch: |-
    {$$patch: delete, apiVersion: v1, kind: Namespace, metadata: {name: any}}
endef
export UNDEPLOYED

DEPLOYMENTS = '{range .items[?(@.kind=="Deployment")]}{.metadata.namespace} {.metadata.name}{"\n"}{end}'

# The Deployments go first, and their pods with them: what these have begun is finished with their rights.
.PHONY: undeploy
undeploy: ## Remove the operator of CONFIG. The CRDs, all data and the namespace with its Secrets stay.
	@mkdir -p dist/undeploy
	@printenv UNDEPLOYED > dist/undeploy/kustomization.yaml
	$(KUSTOMIZE) build dist/undeploy > dist/undeploy/manifests.yaml
	@deployments="$$($(KUBECTL) get --ignore-not-found -f dist/undeploy/manifests.yaml -o jsonpath=$(DEPLOYMENTS))"; \
	if [[ -n "$$deployments" ]]; then \
		xargs -n 2 $(KUBECTL) delete deployment --cascade=foreground --wait=false -n <<<"$$deployments"; \
		xargs -n 2 -P 4 $(KUBECTL) wait --for=delete deployment --timeout=45s -n <<<"$$deployments" || \
			echo "Pods of the operator are still ending."; \
	fi
	$(KUBECTL) delete --ignore-not-found --timeout=10s -f dist/undeploy/manifests.yaml
	@echo "The operator is removed. Nothing waits for it but WhatsAppInstances with deletionPolicy Delete, if one is" \
		"deleted: that goes on when the operator is deployed again, or with purge."

.PHONY: confirmed
confirmed:
	@if [[ "$(CONFIRM)" != yes ]]; then \
		echo "This deletes every store, lead and opt-out of the cluster. Say CONFIRM=yes if you mean it." >&2; exit 1; fi

# The kinds of config/crd.
KINDS = cartrecoveries clientidclaims products recoveryledgers stores suppressions whatsappinstances
GROUP = cartrecovery.dev
INSTANCES = whatsappinstances.$(GROUP)
EACH_INSTANCE = $(KUBECTL) get $(INSTANCES) --all-namespaces --no-headers --ignore-not-found \
	-o custom-columns=:metadata.namespace,:metadata.name

# The instances go while the operator runs, which deletes those with deletionPolicy Delete at their gateways. What it
# left has its finalizer removed once it is gone.
.PHONY: purge
purge: confirmed ## Export all data to dist/, then remove the operator of CONFIG, its CRDs and all data. Needs CONFIRM=yes.
	@mkdir -p dist
	@crds="$$($(KUBECTL) get customresourcedefinitions -o name)"; \
	if [[ "$$crds" != *.$(GROUP)* ]]; then \
		echo "There are no CRDs of the operator, so there is no data."; exit 0; fi; \
	export="dist/export-$$(date -u +%Y%m%dT%H%M%SZ).yaml"; \
	(umask 077 && $(KUBECTL) get --all-namespaces -o yaml \
		"$$(printf '%s.$(GROUP),' $(KINDS) | sed 's/,$$//')" > "$$export"); \
	echo "Everything is in $$export. It holds customers' data: keep it safe, or delete it."; \
	wait=1s; \
	running="$$($(KUBECTL) get deployments --all-namespaces -l app.kubernetes.io/name=cart-recovery-operator -o name)"; \
	if [[ -n "$$running" ]]; then wait=$(PURGE_WAIT); fi; \
	$(KUBECTL) delete $(INSTANCES) --all --all-namespaces --timeout=$$wait || true
	$(MAKE) undeploy
	@if ! $(KUBECTL) get customresourcedefinition $(INSTANCES) -o name >/dev/null 2>&1; then exit 0; fi; \
	$(EACH_INSTANCE) | while read -r namespace name; do \
		echo "The number of $$namespace/$$name may still be at its gateway: delete it there." >&2; \
		$(KUBECTL) -n "$$namespace" patch $(INSTANCES) "$$name" --type=merge -p '{"metadata":{"finalizers":null}}' \
			</dev/null; \
	done
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found --timeout=60s -f -
