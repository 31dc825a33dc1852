package platforms

import (
	"bytes"
	"encoding/json"
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

var update = flag.Bool("update", false, "write testdata/deliveries.golden.txt anew")

// TestDeliveries reads every delivery in testdata, and compares what each means with
// testdata/deliveries.golden.txt, which is to be read: run it with -v, or with -update
// when a delivery was added.
func TestDeliveries(t *testing.T) {
	golden := filepath.Join("testdata", "deliveries.golden.txt")
	var lines []string
	for _, name := range Names() {
		lines = append(lines, deliveriesOf(t, name)...)
	}
	width := 0
	for _, line := range lines {
		delivery, _, _ := strings.Cut(line, " → ")
		width = max(width, utf8.RuneCountInString(delivery))
	}
	var written strings.Builder
	for _, line := range lines {
		delivery, outcome, _ := strings.Cut(line, " → ")
		fmt.Fprintf(&written, "%-*s → %s\n", width, delivery, outcome)
	}
	t.Log("\n" + written.String())
	if *update {
		if err := os.WriteFile(golden, []byte(written.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(written.String())) {
		t.Errorf("not as in %s:\n%s", golden, differences(string(want), written.String()))
	}
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

// deliveriesOf reads the deliveries of one platform, a line for each event.
func deliveriesOf(t *testing.T, name v1alpha1.PlatformName) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", string(name), "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no deliveries: %v", name, err)
	}
	platform := platformOf(t, name)
	var lines []string
	for _, file := range files {
		delivery := string(name) + "/" + filepath.Base(file)
		if filepath.Base(file) == "mapping.json" {
			continue
		}
		body := fixture(t, delivery)
		events, err := platform.Parse(Delivery{Body: body}, Place{Region: "BR"})
		if err != nil {
			t.Errorf("%s: %v", delivery, err)
		}
		for i, event := range events {
			checkEvent(t, event)
			checkPrivate(t, event)
			label := delivery
			if i > 0 {
				label = fmt.Sprintf("%s (%d)", delivery, i+1)
			}
			lines = append(lines, label+" → "+tells(event))
		}
	}
	return lines
}

// platformOf makes a platform as a Store that says no more than it must would.
func platformOf(t *testing.T, name v1alpha1.PlatformName) Platform {
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
			if err != nil || len(events) != 1 || says(events[0]) != "kill, attribute" ||
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
	for _, name := range []v1alpha1.PlatformName{v1alpha1.PlatformHotmart, v1alpha1.PlatformKiwify,
		v1alpha1.PlatformEduzz} {
		platform := platformOf(t, name)
		files, err := filepath.Glob(filepath.Join("testdata", string(name), "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			var root map[string]any
			if err := json.Unmarshal(fixture(t, string(name)+"/"+filepath.Base(file)), &root); err != nil {
				t.Fatal(err)
			}
			everyField(root, func(path string, object map[string]any, field string) {
				if namesEvent[path] {
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
						t.Errorf("%s, %s as %v: %v", file, path, object[field], err)
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

// namesEvent are the fields without which nothing can be known, and those that wrap them.
var namesEvent = map[string]bool{
	".event": true, ".status": true, ".type": true, ".trans_status": true, ".order": true, ".cart": true,
	".cart.status": true,
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
