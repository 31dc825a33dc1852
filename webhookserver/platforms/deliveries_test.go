package platforms

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// golden is the file in a platform's folder that says what its deliveries mean.
const golden = "golden.txt"

// TestDeliveries reads every delivery in testdata, and compares what each means with the golden file of its folder,
// which is to be read: run it with -v, or with -update when a delivery was added.
func TestDeliveries(t *testing.T) {
	for _, name := range Names() {
		t.Run(string(name), func(t *testing.T) {
			file, written := filepath.Join("testdata", string(name), golden), told(t, name)
			t.Log("\n" + written)
			if *update {
				if err := os.WriteFile(file, []byte(written), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v: run the test with -update, and read what it writes", err)
			}
			if string(want) != written {
				t.Errorf("not as in %s:\n%s", file, differences(string(want), written))
			}
		})
	}
}

// told is what the deliveries of a platform mean, a line for each event.
func told(t *testing.T, name v1alpha1.PlatformName) string {
	t.Helper()
	deliveries, width := deliveriesOf(t, name), 0
	for _, delivery := range deliveries {
		width = max(width, utf8.RuneCountInString(delivery.name))
		if len(delivery.events) > 1 {
			width = max(width, utf8.RuneCountInString(delivery.name)+len(" (2)"))
		}
	}
	var written strings.Builder
	for _, delivery := range deliveries {
		for i, event := range delivery.events {
			label := delivery.name
			if i > 0 {
				label = fmt.Sprintf("%s (%d)", delivery.name, i+1)
			}
			fmt.Fprintf(&written, "%-*s → %s\n", width, label, tells(event))
		}
	}
	return written.String()
}

// differences are the lines that only one of two texts has.
func differences(want, got string) string {
	wanted, had := strings.Split(want, "\n"), strings.Split(got, "\n")
	var all strings.Builder
	for _, line := range wanted {
		if !slices.Contains(had, line) {
			all.WriteString("- " + line + "\n")
		}
	}
	for _, line := range had {
		if !slices.Contains(wanted, line) {
			all.WriteString("+ " + line + "\n")
		}
	}
	return all.String()
}

// sampled is a delivery beside a parser, and what it says.
type sampled struct {
	name   string
	body   []byte
	events []Event
}

// deliveriesOf reads the deliveries of one platform.
func deliveriesOf(t *testing.T, name v1alpha1.PlatformName) []sampled {
	t.Helper()
	platform := platformOf(t, name)
	var all []sampled
	for _, file := range samplesOf(t, name) {
		body := fixture(t, string(name)+"/"+file)
		events, err := platform.Parse(Delivery{Body: body}, Place{Region: "BR"})
		if err != nil {
			t.Errorf("%s/%s: %v", name, file, err)
		}
		for _, event := range events {
			checkEvent(t, event)
			checkPrivate(t, event)
		}
		all = append(all, sampled{file, body, events})
	}
	return all
}

// samplesOf are the files of a platform's deliveries: all in its folder of testdata but the golden file, and the
// mapping of generic.
func samplesOf(t testing.TB, name v1alpha1.PlatformName) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("testdata", string(name)))
	var files []string
	for _, entry := range entries {
		if entry.Name() != golden && entry.Name() != "mapping.json" {
			files = append(files, entry.Name())
		}
	}
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no deliveries in testdata/%s: %v", name, name, err)
	}
	return files
}

// BenchmarkParse is what each delivery of testdata costs to read.
func BenchmarkParse(b *testing.B) {
	for _, name := range Names() {
		platform := platformOf(b, name)
		for _, file := range samplesOf(b, name) {
			b.Run(string(name)+"/"+file, func(b *testing.B) {
				body := fixture(b, string(name)+"/"+file)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := platform.Parse(Delivery{Body: body}, Place{Region: "BR"}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// platformOf makes a platform as a Store that says no more than it must would.
func platformOf(t testing.TB, name v1alpha1.PlatformName) Platform {
	t.Helper()
	entry := &v1alpha1.StorePlatform{Name: name}
	if mapping, err := os.ReadFile(filepath.Join("testdata", string(name), "mapping.json")); err == nil {
		entry.Generic = &v1alpha1.GenericMapping{}
		if err := json.Unmarshal(mapping, entry.Generic); err != nil {
			t.Fatal(err)
		}
	}
	platform, err := Configured(entry)
	if err != nil {
		t.Fatal(err)
	}
	return platform
}

// tells is what an event means and what of it is known.
func tells(event Event) string {
	if event.Kind == Ignored {
		return says(event)
	}
	known := func(name, value string) string {
		if value == "" {
			return "no " + name
		}
		return name
	}
	parts := []string{
		known("name", event.Customer.Name), known("phone", event.Customer.Phone), known("e-mail", event.Customer.Email),
		known("link", event.CheckoutURL), known("sale", event.TransactionID),
	}
	product := "no product"
	switch {
	case event.Product.ID != "":
		product = "product " + event.Product.ID
	case event.Product.Name != "":
		product = "product by its name"
	}
	amount := "no amount"
	if event.Amount != "" {
		amount = strings.TrimSpace(event.Amount + " " + event.Currency)
	}
	return fmt.Sprintf("%-23s %s, %s; %s", says(event)+":", product, amount, strings.Join(parts, ", "))
}

// TestNothingIsLost: the words that the first backend stopped a lead for still do, each at
// its platform and in the form that the platform has today or had.
func TestNothingIsLost(t *testing.T) {
	for _, test := range []struct {
		word     string
		platform Platform
		body     string
	}{
		{"PURCHASE_APPROVED", hotmart{}, `{"event":"PURCHASE_APPROVED","data":{"buyer":{"email":"ana@example.com"}}}`},
		{"ORDER_APPROVED", hotmart{}, `{"event":"ORDER_APPROVED","data":{"buyer":{"email":"ana@example.com"}}}`},
		{"approved", hotmart{}, `hottok=x&status=approved&email=ana%40example.com`},
		{"paid", kiwify{}, `{"order_status":"paid","Customer":{"email":"ana@example.com"}}`},
		{"paid, wrapped", kiwify{}, `{"order":{"order_status":"paid","Customer":{"email":"ana@example.com"}}}`},
		{"order_approved", kiwify{}, `{"webhook_event_type":"order_approved","Customer":{"email":"ana@example.com"}}`},
		{`"3"`, eduzz{}, `{"trans_status":"3","cus_email":"ana@example.com"}`},
		{"3", eduzz{}, `{"trans_status":3,"cus_email":"ana@example.com"}`},
		{"3.0", eduzz{}, `{"trans_status":3.0,"cus_email":"ana@example.com"}`},
		{"3, a form", eduzz{}, `type=invoice&trans_status=3&cus_email=ana%40example.com`},
		{"invoice_paid", eduzz{}, `{"event":"myeduzz.invoice_paid","data":{"buyer":{"email":"ana@example.com"}}}`},
	} {
		t.Run(string(test.platform.Name())+" "+test.word, func(t *testing.T) {
			events, err := test.platform.Parse(Delivery{Body: []byte(test.body)}, Place{Region: "BR"})
			if err != nil || len(events) != 1 || says(events[0]) != "purchase, attributed" ||
				events[0].Customer.Email != "ana@example.com" {
				t.Errorf("got %+v, %v", events, err)
			}
		})
	}
}

// TestNoDeliveryIsTooOdd: whatever a field of an authentic delivery holds, its event is
// known by its name, and the delivery is read: the platform is not made to send it again.
func TestNoDeliveryIsTooOdd(t *testing.T) {
	odd := []any{nil, "", "text", 7, 1e300, true, []any{}, []any{nil}, []any{[]any{1}}, map[string]any{},
		map[string]any{"a": []any{}}}
	for _, name := range Names() {
		platform := platformOf(t, name)
		event := "." + namedField(platform)
		for _, file := range samplesOf(t, name) {
			if filepath.Ext(file) != ".json" {
				continue
			}
			var root map[string]any
			if err := json.Unmarshal(fixture(t, string(name)+"/"+file), &root); err != nil {
				t.Fatal(err)
			}
			everyField(root, func(path string, object map[string]any, field string) {
				if path == event || namesEvent[path] {
					return
				}
				value := object[field]
				for _, object[field] = range odd {
					body, err := json.Marshal(root)
					if err != nil {
						t.Fatal(err)
					}
					events, err := platform.Parse(Delivery{Body: body}, Place{Region: "BR"})
					if err != nil {
						t.Errorf("%s/%s, %s as %v: %v", name, file, path, object[field], err)
					}
					for _, event := range events {
						checkEvent(t, event)
						checkPrivate(t, event)
					}
				}
				object[field] = value
			})
		}
	}
}

// namedField is the field that a platform misses in an empty delivery: the one that names the event.
func namedField(platform Platform) string {
	_, err := platform.Parse(Delivery{Body: []byte("{}")}, Place{Region: "BR"})
	if input, ok := errors.AsType[*InputError](err); ok {
		return input.Field
	}
	return ""
}

// namesEvent are the fields without which nothing can be known, and those that wrap them.
var namesEvent = map[string]bool{
	".event": true, ".status": true, ".type": true, ".trans_status": true, ".order": true, ".cart": true,
	".cart.status": true, ".topic": true,
}

// everyField visits the fields of an object and of those within it.
func everyField(object map[string]any, visit func(path string, object map[string]any, field string)) {
	var walk func(path string, object map[string]any)
	walk = func(path string, object map[string]any) {
		for field := range object {
			at := path + "." + field
			visit(at, object, field)
			if inner, ok := object[field].(map[string]any); ok {
				walk(at, inner)
			}
		}
	}
	walk("", object)
}
