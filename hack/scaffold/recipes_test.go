package scaffold

import (
	"strings"
	"testing"
)

// The files that recipes share.
const (
	sharedTypes   = "api/v1alpha1/shared_types.go"
	storeTypes    = "api/v1alpha1/store_types.go"
	instanceTypes = "api/v1alpha1/whatsappinstance_types.go"
)

// TestRecipes follows the recipes of AGENTS.md in one copy of the module: a gateway, a field of the policy and a sales
// platform are added together. What is declared and not yet made fails a test that says its name; what is made builds,
// is documented, and passes the tests of everything else of its kind.
func TestRecipes(t *testing.T) {
	m := copyModule(t)
	gateway, field := m.recipe("A gateway", "acme"), m.recipe("A field of the policy", "maxSteps")
	platform := m.recipe("A sales platform", "acmepay")

	declareGateway(t, gateway)
	declareField(t, field)
	declarePlatform(t, platform)
	m.must(t, "tool", "-modfile=hack/tools/go.mod", "controller-gen", "crd",
		"object:headerFile=hack/boilerplate.go.txt", "paths=./api/...", "output:crd:artifacts:config=config/crd/bases")
	m.failsBy(t, []string{"Acme", "maxSteps", "acmepay"},
		"-run", "TestSchemaTakesTheRows|TestFields|TestAPIKnowsTheRows",
		"./internal/gateway/registry", "./internal/policy", "./webhookserver/platforms")

	makeGateway(t, gateway)
	makeField(t, field)
	makePlatform(t, platform)
	m.failsBy(t, []string{"maxSteps changes nothing", "testdata/acmepay/golden.txt"},
		"-run", "TestEveryPolicyFieldHasAnEffect|TestDeliveries", "./controllers/cartrecovery/plan",
		"./webhookserver/platforms")

	ruleOfField(t, field)
	m.must(t, "run", "./hack/docs")
	// Compiles the operator, and links nothing.
	m.must(t, "list", "-export", ".")
	m.must(t, "test", "-vet=off", "./internal/gateway/acme", "./internal/gateway/registry", "./internal/policy",
		"./controllers/cartrecovery/plan")
	m.must(t, "test", "-vet=off", "./webhookserver/platforms", "-args", "-update")
	for _, row := range []struct{ file, has string }{
		{"docs/gateways.md", "| `Acme` |"}, {"docs/policy.md", "| `maxSteps` | 10, from 1 to 10 |"},
		{"docs/platforms.md", "## AcmePay\n"}, {"docs/platforms.md", "| AcmePay | `acmepay` |"},
		{"README.md", "AcmePay"},
	} {
		if !strings.Contains(m.load(t, row.file), row.has) {
			t.Errorf("%s does not have %q", row.file, row.has)
		}
	}
	for _, followed := range []*recipe{gateway, field, platform} {
		t.Run(followed.title, followed.follows)
	}
}

// declareGateway and makeGateway add a gateway that is made of the simulated one.
func declareGateway(t *testing.T, r *recipe) {
	t.Helper()
	r.edit(t, instanceTypes, "Enum=UAZAPI;Evolution;Simulated", "Enum=UAZAPI;Evolution;Simulated;Acme")
	r.edit(t, instanceTypes, "\t// GatewaySimulated is built in",
		"\t// GatewayAcme is Acme.\n\tGatewayAcme GatewayType = \"Acme\"\n\t// GatewaySimulated is built in")
}

func makeGateway(t *testing.T, r *recipe) {
	t.Helper()
	r.like(t, "internal/gateway/simulated/*.go", strings.NewReplacer("gateway/simulated", "gateway/acme",
		"package simulated", "package acme", "Package simulated", "Package acme", "simulated.", "acme.",
		"GatewaySimulated", "GatewayAcme"))
	const rows = "internal/gateway/registry/registry.go"
	r.edit(t, rows, "\t\tsimulated.Type(),\n", "\t\tacme.Type(),\n\t\tsimulated.Type(),\n")
	r.edit(t, rows, "\t\"cartrecovery.dev/operator/internal/gateway/evolution\"\n",
		"\t\"cartrecovery.dev/operator/internal/gateway/acme\"\n"+
			"\t\"cartrecovery.dev/operator/internal/gateway/evolution\"\n")
}

// declareField, makeField and ruleOfField add a field that bounds the steps of a sequence.
func declareField(t *testing.T, r *recipe) {
	t.Helper()
	r.edit(t, sharedTypes, "\t// allowedLinkHosts are hosts, such as shop.example.com,",
		"\t// maxSteps is how many steps of a sequence are sent. Default: 10.\n\t// +optional\n"+
			"\t// +kubebuilder:validation:Minimum=1\n\t// +kubebuilder:validation:Maximum=10\n"+
			"\tMaxSteps *int32 `json:\"maxSteps,omitempty\"`\n"+
			"\t// allowedLinkHosts are hosts, such as shop.example.com,")
	r.edit(t, sharedTypes, "\t// answers is how many answers one lead gets at most",
		"\t// maxSteps of a sequence.\n\t// +optional\n\tMaxSteps int32 `json:\"maxSteps,omitempty\"`\n"+
			"\t// answers is how many answers one lead gets at most")
}

func makeField(t *testing.T, r *recipe) {
	t.Helper()
	const fields = "internal/policy/fields.go"
	r.edit(t, fields, "\tAllowedLinkHosts   []string\n", "\tAllowedLinkHosts   []string\n\tMaxSteps int\n")
	r.edit(t, fields, "\tlist(\"allowedLinkHosts\"",
		"\tcount(\"maxSteps\", 10, \"3\", \"\", func(p *Policy) *int { return &p.MaxSteps },\n"+
			"\t\tfunc(by *spec) *int32 { return by.MaxSteps },\n"+
			"\t\tfunc(p *Policy, to *shown) { to.MaxSteps = int32(p.MaxSteps) }),\n\tlist(\"allowedLinkHosts\"")
}

func ruleOfField(t *testing.T, r *recipe) {
	t.Helper()
	r.edit(t, "controllers/cartrecovery/plan/sequence.go", "i < s.Policy.MaxUnanswered; i++",
		"i < min(s.Policy.MaxUnanswered, s.Policy.MaxSteps); i++")
	r.edit(t, "controllers/cartrecovery/plan/plan_test.go", "\t\t// The AI fails.\n",
		"\t\t{name: \"no step goes beyond maxSteps\", now: gen.FirstDue, text: ready(), steps: twoSteps,\n"+
			"\t\t\twith: func(s *Snapshot) { s.Policy.MaxSteps = 0 }, want: Wait, until: gen.ExpiresAt},\n\t\t// "+
			"The AI fails.\n")
}

// declarePlatform and makePlatform add a platform that is made of PerfectPay, and tells of no refused payments.
func declarePlatform(t *testing.T, r *recipe) {
	t.Helper()
	r.edit(t, sharedTypes, "'monetizze', 'generic']", "'monetizze', 'acmepay', 'generic']")
	r.edit(t, sharedTypes, "monetizze, or generic:", "monetizze, acmepay, or generic:")
	r.edit(t, sharedTypes, "\t// PlatformGeneric is any other",
		"\t// PlatformAcmePay is AcmePay.\n\tPlatformAcmePay PlatformName = \"acmepay\"\n"+
			"\t// PlatformGeneric is any other")
}

func makePlatform(t *testing.T, r *recipe) {
	t.Helper()
	words := strings.NewReplacer("starts: everyTrigger", "starts: everyTrigger[:3]", "paymentRefused", "notUsed",
		"start: PaymentRefused", "ignore: EventNotUsed", "perfectpay", "acmepay", "Perfectpay", "Acmepay",
		"PerfectPay", "AcmePay")
	r.like(t, "webhookserver/platforms/perfectpay*.go", words)
	r.like(t, "webhookserver/platforms/testdata/perfectpay/*.json", words)
	r.edit(t, "webhookserver/platforms/registry.go", "\tgenericRow,\n", "\tacmepayRow,\n\tgenericRow,\n")
	r.edit(t, storeTypes, "'perfectpay', 'monetizze']", "'perfectpay', 'monetizze', 'acmepay']")
	r.edit(t, storeTypes, "perfectpay, monetizze\"", "perfectpay, monetizze, acmepay\"")
}
