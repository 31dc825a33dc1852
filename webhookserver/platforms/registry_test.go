package platforms

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// TestRows: every row says all that a row says, and its files are where the recipe of AGENTS.md puts them.
func TestRows(t *testing.T) {
	for i := range registry {
		row := &registry[i]
		t.Run(string(row.name), func(t *testing.T) {
			if (row.make == nil) == (row.withTokens == nil) {
				t.Error("a row needs either make or tokens and withTokens")
			}
			if row.sendsToken() && len(row.tokens.fields) == 0 && len(row.tokens.headers) == 0 {
				t.Error("tokens names no header and no field")
			}
			if platform := platformOf(t, row.name); platform.Name() != row.name {
				t.Errorf("its platform is called %s", platform.Name())
			}
			if row.title == "" || row.samples == nil {
				t.Error("a row needs a title and samples")
			}
			about := Described()[i]
			texts := map[string]string{"Proof": about.Proof, "Zone": about.Zone, "Amounts": about.Amounts,
				"Currency": about.Currency}
			if row.name != v1alpha1.PlatformGeneric {
				texts["Setup"], texts["ProductID"] = strings.Join(about.Setup, ""), about.ProductID
			}
			for field, text := range texts {
				if text == "" {
					t.Errorf("About.%s is empty", field)
				}
			}
			for _, file := range []string{string(row.name) + ".go", string(row.name) + "_test.go"} {
				if _, err := os.Stat(file); err != nil {
					t.Errorf("the platform needs webhookserver/platforms/%s: %v", file, err)
				}
			}
		})
	}
}

// TestSamplesOfTheRows: the deliveries beside a parser show what its row says that it starts, and a purchase.
func TestSamplesOfTheRows(t *testing.T) {
	for i := range registry {
		row := &registry[i]
		t.Run(string(row.name), func(t *testing.T) {
			kinds := map[Kind]bool{}
			for _, delivery := range deliveriesOf(t, row.name) {
				for _, event := range delivery.events {
					kinds[event.Kind] = true
					if event.Kind == Abandoned && !slices.Contains(row.starts, event.Trigger) {
						t.Errorf("%s starts %s, which the row does not have", delivery.name, event.Trigger)
					}
				}
			}
			if !kinds[Purchased] || !kinds[Abandoned] && len(row.starts) > 0 {
				t.Errorf("testdata/%s needs a delivery of a purchase, and one of what the platform starts", row.name)
			}
		})
	}
}

// TestEveryFolderIsOfAPlatform: no deliveries are left that nothing reads. Those of samples are for the examples of
// config/samples/platforms.
func TestEveryFolderIsOfAPlatform(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if _, known := Known(name); !known && name != "samples" && name != "fuzz" {
			t.Errorf("testdata/%s is of no platform", name)
		}
	}
}

// TestAPIKnowsTheRows: the API's enum, its constants and its rule for tokenLocation are those of the registry.
func TestAPIKnowsTheRows(t *testing.T) {
	const shared, store = "api/v1alpha1/shared_types.go", "api/v1alpha1/store_types.go"
	var names, senders []string
	for i := range registry {
		names = append(names, string(registry[i].name))
		if registry[i].sendsToken() {
			senders = append(senders, string(registry[i].name))
		}
	}
	types := source(t, shared)
	_, after, _ := strings.Cut(types, "// PlatformName is ")
	allowed := firstMatch(after, `rule="self in \['([^\]]+)'\]"`)
	told := firstMatch(after, `message="expected ([a-z0-9, ]+), or generic:`)
	var constants []string
	for _, found := range regexp.MustCompile(`PlatformName = "([a-z0-9]+)"`).FindAllStringSubmatch(types, -1) {
		constants = append(constants, found[1])
	}
	rules := source(t, store)
	const rule = `rule="!has\(self.tokenLocation\) \|\| self.name in \['([^\]]+)'\]"`
	for _, test := range []struct {
		what, file string
		got, want  []string
	}{
		{"the rule for PlatformName", shared, strings.Split(allowed, "', '"), names},
		{"what the rule for PlatformName says", shared, append(strings.Split(told, ", "), "generic"), names},
		{"the constants of PlatformName", shared, constants, names},
		{"the rule for tokenLocation", store, strings.Split(firstMatch(rules, rule), "', '"), senders},
		{"what the rule for tokenLocation says", store,
			strings.Split(firstMatch(rules, `send a plain token: ([a-z0-9, ]+)"`), ", "), senders},
	} {
		t.Run(test.what, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("%s in %s and the registry, -registry +API:\n%s", test.what, test.file, diff)
			}
		})
	}
}

// source is a file of the module.
func source(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// firstMatch is what the group of a pattern matches; "" where it does not.
func firstMatch(text, pattern string) string {
	if found := regexp.MustCompile(pattern).FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}
