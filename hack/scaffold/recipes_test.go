package scaffold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGateway adds a gateway that is made of the simulated one.
func TestGateway(t *testing.T) {
	m := copyModule(t)
	const types, rows = "api/v1alpha1/whatsappinstance_types.go", "internal/gateway/registry/registry.go"
	m.edit(t, types, "Enum=UAZAPI;Evolution;Simulated", "Enum=UAZAPI;Evolution;Simulated;Acme")
	m.edit(t, types, "\t// GatewaySimulated is built in",
		"\t// GatewayAcme is Acme.\n\tGatewayAcme GatewayType = \"Acme\"\n\t// GatewaySimulated is built in")
	m.must(t, "tool", "-modfile=hack/tools/go.mod", "controller-gen", "crd", "paths=./api/...",
		"output:crd:artifacts:config=config/crd/bases")
	m.failsBy(t, "Acme", "./internal/gateway/registry")

	files, err := filepath.Glob(filepath.Join(m.dir, "internal", "gateway", "simulated", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("internal/gateway/simulated: %v", err)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		acme := strings.NewReplacer("package simulated", "package acme", "gateway/simulated", "gateway/acme",
			"simulated.", "acme.", "GatewaySimulated", "GatewayAcme", "Package simulated", "Package acme").
			Replace(string(content))
		m.write(t, "internal/gateway/acme/"+filepath.Base(path), acme)
	}
	m.edit(t, rows, "\t\tsimulated.Type(),\n", "\t\tacme.Type(),\n\t\tsimulated.Type(),\n")
	m.edit(t, rows, "\t\"cartrecovery.dev/operator/internal/gateway/evolution\"\n",
		"\t\"cartrecovery.dev/operator/internal/gateway/acme\"\n"+
			"\t\"cartrecovery.dev/operator/internal/gateway/evolution\"\n")

	m.must(t, "run", "./hack/docs")
	if docs := m.load(t, "docs/gateways.md"); !strings.Contains(docs, "| `Acme` |") {
		t.Error("docs/gateways.md has no row for Acme")
	}
	m.must(t, "build", ".")
	m.must(t, "test", "./internal/gateway/acme", "./internal/gateway/registry", "./hack/docs")
	m.follows(t, "A gateway", "acme")
}

// TestPolicyField adds a field that bounds the steps of a sequence. Before it has a row, and before
// it has a rule, a test fails and names it.
func TestPolicyField(t *testing.T) {
	m := copyModule(t)
	const types, fields, rule = "api/v1alpha1/shared_types.go", "internal/policy/fields.go",
		"controllers/cartrecovery/plan/sequence.go"
	m.edit(t, types, "\t// allowedLinkHosts are hosts, such as shop.example.com,",
		"\t// maxSteps is how many steps of a sequence are sent. Default: 10.\n\t// +optional\n"+
			"\t// +kubebuilder:validation:Minimum=1\n\t// +kubebuilder:validation:Maximum=10\n"+
			"\tMaxSteps *int32 `json:\"maxSteps,omitempty\"`\n"+
			"\t// allowedLinkHosts are hosts, such as shop.example.com,")
	m.edit(t, types, "\t// answers is how many answers one lead gets at most",
		"\t// maxSteps of a sequence.\n\t// +optional\n\tMaxSteps int32 `json:\"maxSteps,omitempty\"`\n"+
			"\t// answers is how many answers one lead gets at most")
	m.failsBy(t, "maxSteps", "-run", "TestFields", "./internal/policy")

	m.edit(t, fields, "\tAllowedLinkHosts   []string\n", "\tAllowedLinkHosts   []string\n\tMaxSteps int\n")
	m.edit(t, fields, "\tlist(\"allowedLinkHosts\"",
		"\tcount(\"maxSteps\", 10, \"3\", \"\", func(p *Policy) *int { return &p.MaxSteps },\n"+
			"\t\tfunc(by *spec) *int32 { return by.MaxSteps },\n"+
			"\t\tfunc(p *Policy, to *shown) { to.MaxSteps = int32(p.MaxSteps) }),\n\tlist(\"allowedLinkHosts\"")
	m.must(t, "test", "-run", "TestFields", "./internal/policy")
	m.failsBy(t, "maxSteps changes nothing", "-run", "TestEveryPolicyFieldHasAnEffect",
		"./controllers/cartrecovery/plan")

	m.edit(t, rule, "i < s.Policy.MaxUnanswered; i++", "i < min(s.Policy.MaxUnanswered, s.Policy.MaxSteps); i++")
	m.edit(t, "controllers/cartrecovery/plan/plan_test.go", "\t\t// The AI fails.\n",
		"\t\t{name: \"no step goes beyond maxSteps\", now: gen.FirstDue, text: ready(), steps: twoSteps,\n"+
			"\t\t\twith: func(s *Snapshot) { s.Policy.MaxSteps = 0 }, want: Wait, until: gen.ExpiresAt},\n\t\t// "+
			"The AI fails.\n")
	m.must(t, "tool", "-modfile=hack/tools/go.mod", "controller-gen", "object:headerFile=hack/boilerplate.go.txt",
		"paths=./api/...")
	m.must(t, "run", "./hack/docs")
	if docs := m.load(t, "docs/policy.md"); !strings.Contains(docs, "| `maxSteps` | 10, from 1 to 10 |") {
		t.Error("docs/policy.md has no row for maxSteps")
	}
	m.must(t, "build", ".")
	m.must(t, "test", "./internal/policy", "./controllers/cartrecovery/plan", "./hack/docs")
	m.follows(t, "A field of the policy", "maxSteps")
}
