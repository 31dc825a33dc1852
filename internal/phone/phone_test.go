package phone

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	for _, test := range []struct {
		name, raw, region, want string
	}{
		{"mobile with area code", "21 98765-4321", "BR", "+5521987654321"},
		{"mobile as people write it", "(21) 98765-4321", "BR", "+5521987654321"},
		{"country code without plus", "5521987654321", "BR", "+5521987654321"},
		{"country code with plus", "+55 (21) 98765-4321", "BR", "+5521987654321"},
		{"country code with plus, any region", "+55 21 98765-4321", "PT", "+5521987654321"},
		{"country code with 00", "0055 21 98765-4321", "BR", "+5521987654321"},
		{"region in lower case", "21987654321", "br", "+5521987654321"},
		{"trunk zero", "021987654321", "BR", "+5521987654321"},
		{"trunk zero in parentheses", "(021) 98765-4321", "BR", "+5521987654321"},
		{"trunk zero after the country code", "+55 021 98765-4321", "BR", "+5521987654321"},
		{"trunk zero before the country code", "05521987654321", "BR", "+5521987654321"},
		{"carrier 15", "0152198765-4321", "BR", "+5521987654321"},
		{"carrier 41 and a landline", "0 41 21 3222-4455", "BR", "+552132224455"},
		{"area code 55 is not the country code", "55999887766", "BR", "+5555999887766"},
		{"country code and area code 55", "5555999887766", "BR", "+5555999887766"},
		{"area code 55, old mobile", "5599887766", "BR", "+5555999887766"},
		{"eleven digits that begin with 55", "55999998888", "BR", "+5555999998888"},
		{"area code 55 with a trunk zero", "055999887766", "BR", "+5555999887766"},
		{"area code 55, landline", "5532224455", "BR", "+555532224455"},
		{"country code and area code 55, old mobile", "555599887766", "BR", "+5555999887766"},
		{"carrier 21 before area code 55", "02155999887766", "BR", "+5555999887766"},
		{"trunk zero after the country code, no blanks", "55021987654321", "BR", "+5521987654321"},
		{"double zero and trunk zero", "0055 021 98765-4321", "BR", "+5521987654321"},
		{"plus in parentheses", "(+55) 21 98765-4321", "BR", "+5521987654321"},
		{"slashes and dots", "21/98765.4321", "BR", "+5521987654321"},
		{"landline starting with 2", "11 2222-4455", "BR", "+551122224455"},
		{"landline starting with 4", "(048) 4222-4455", "BR", "+554842224455"},
		{"landline with a plus", "+55 11 5222-4455", "BR", "+551152224455"},
		{"old mobile starting with 6", "11 6222-4455", "BR", "+5511962224455"},
		{"radio line starting with 7, which never got a ninth digit", "(77) 7009-5638", "BR", "+557770095638"},
		{"old mobile, trunk zero", "043 9183-4229", "BR", "+5543991834229"},
		{"landline keeps eight digits", "(11) 3222-4455", "BR", "+551132224455"},
		{"landline starting with 5", "1152224455", "BR", "+551152224455"},
		{"landline with country code", "551132224455", "BR", "+551132224455"},
		{"old mobile gets the ninth digit", "43 9183-4229", "BR", "+5543991834229"},
		{"old mobile with country code", "554391834229", "BR", "+5543991834229"},
		{"old mobile with plus", "+55 43 9183-4229", "BR", "+5543991834229"},
		{"invisible marks of an address book", "\u202a+55\u00a021\u00a098765\u20114321\u202c", "BR", "+5521987654321"},
		{"all subscriber digits equal", "(11) 99999-9999", "BR", "+5511999999999"},
		{"all subscriber digits equal, trunk zero", "011999999999", "BR", "+5511999999999"},
		{"all subscriber digits equal, country code", "+5511999999999", "BR", "+5511999999999"},
		{"all subscriber digits equal, old mobile", "11 9999-9999", "BR", "+5511999999999"},
		{"all subscriber digits equal, landline", "11 3333-3333", "BR", "+551133333333"},
		{"foreign with plus", "+351 912 345 678", "BR", "+351912345678"},
		{"foreign with 00", "00351912345678", "BR", "+351912345678"},
		{"foreign of an unassigned range is kept", "+44 201 581 389", "BR", "+44201581389"},
		{"foreign without plus, too long for Brazil", "351912345678", "BR", "+351912345678"},
		{"Argentina without plus", "5491123456789", "BR", "+5491123456789"},
		{"Portugal is the region", "912 345 678", "PT", "+351912345678"},
		{"United States are the region", "(415) 555-2671", "US", "+14155552671"},
		{"Brazil without plus in another region", "5521987654321", "PT", "+5521987654321"},

		{"empty", "", "BR", ""},
		{"blank", " \t ", "BR", ""},
		{"letters", "21 98765-43ab", "BR", ""},
		{"words", "não tenho", "BR", ""},
		{"no area code", "98765-4321", "BR", ""},
		{"no area code, landline", "3222-4455", "BR", ""},
		{"all digits equal", "99999999999", "BR", ""},
		{"all digits equal, country code", "+55 99 99999-9999", "BR", ""},
		{"all digits equal, landline", "5555555555", "BR", ""},
		{"zeros", "00000000000", "BR", ""},
		{"area code that does not exist", "20 98765-4321", "BR", ""},
		{"nine digits that are no mobile", "11 38765-4321", "BR", ""},
		{"toll free", "0800 123 4567", "BR", ""},
		{"shared cost", "0300 123 4567", "BR", ""},
		{"too short", "123456", "BR", ""},
		{"too long", "5521987654321987", "BR", ""},
		{"far too long", strings.Repeat("9", 10_000), "BR", ""},
		{"two numbers", "21987654321 / 21987650000", "BR", ""},
		{"plus in the middle", "21+987654321", "BR", ""},
		{"two pluses", "++5521987654321", "BR", ""},
		{"CPF", "123.456.789-09", "BR", ""},
		{"country code that does not exist", "+999 123 456 789", "BR", ""},
		{"foreign, all digits equal", "+1 222 222 2222", "BR", ""},
		{"region that does not exist", "21987654321", "XX", ""},
		{"no region", "21987654321", "", ""},
		{"other digits", "٢١٩٨٧٦٥٤٣٢١", "BR", ""},
		{"invalid UTF-8", "21\xff987654321", "BR", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := Normalize(test.raw, test.region)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("Normalize(%q, %q) = %q, %v; want %q", test.raw, test.region, got, ok, test.want)
			}
		})
	}
}

// TestNormalizeForms has the countries whose numbers are written in several ways.
func TestNormalizeForms(t *testing.T) {
	for _, test := range []struct {
		name, raw, region, want string
	}{
		{"Mexico", "+52 55 1234 5678", "BR", "+525512345678"},
		{"Mexico with the 1 of old", "+52 1 55 1234 5678", "BR", "+525512345678"},
		{"Mexico as WhatsApp has it", "5215512345678", "BR", "+525512345678"},
		{"Mexico with 044", "+52 044 55 1234 5678", "BR", "+525512345678"},
		{"Mexico with 01", "+52 01 55 1234 5678", "BR", "+525512345678"},
		{"Mexico is the region", "55 1234 5678", "MX", "+525512345678"},
		{"Mexico is the region, 044", "044 55 1234 5678", "MX", "+525512345678"},
		{"Mexico is the region, 045", "045 55 1234 5678", "MX", "+525512345678"},
		{"Mexico is the region, as WhatsApp has it", "521 55 1234 5678", "MX", "+525512345678"},
		{"Argentina without the 9 is a landline's", "+54 11 2345-6789", "BR", "+541123456789"},
		{"Argentina with the 9", "+54 9 11 2345-6789", "BR", "+5491123456789"},
		{"Argentina with 15", "+54 11 15 2345-6789", "BR", "+5491123456789"},
		{"Argentina with both", "+54 9 11 15 2345-6789", "BR", "+5491123456789"},
		{"Argentina is the region", "(02954) 15 41-2345", "AR", "+5492954412345"},
		{"Ivory Coast", "+225 07 07 12 34 56", "BR", "+2250707123456"},
		{"Ivory Coast of old, Orange", "+225 07 12 34 56", "BR", "+2250707123456"},
		{"Ivory Coast of old, MTN", "+225 54 12 34 56", "BR", "+2250554123456"},
		{"Ivory Coast of old, Moov", "+225 01 12 34 56", "BR", "+2250101123456"},
		{"Ivory Coast of old, a landline", "+225 22 41 23 45", "BR", "+2252722412345"},
		{"Ivory Coast is the region", "07 12 34 56", "CI", "+2250707123456"},
		{"Benin", "+229 01 97 12 34 56", "BR", "+2290197123456"},
		{"Benin of old", "+229 97 12 34 56", "BR", "+2290197123456"},
		{"Benin is the region", "97 12 34 56", "BJ", "+2290197123456"},
		{"Vietnam of old", "+84 163 123 4567", "BR", "+84331234567"},
		{"Vietnam is the region", "0163 123 4567", "VN", "+84331234567"},
		{"Italy keeps the zero of a landline", "+39 06 1234 5678", "BR", "+390612345678"},
		{"Croatia with the trunk zero", "+385 098 123 4567", "BR", "+385981234567"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := Normalize(test.raw, test.region); got != test.want || !ok {
				t.Errorf("Normalize(%q, %q) = %q, %v; want %q", test.raw, test.region, got, ok, test.want)
			}
		})
	}
}

func TestKey(t *testing.T) {
	for _, test := range []struct {
		name, number, want string
	}{
		{"mobile", "+5521987654321", "552187654321"},
		{"the same without plus", "5521987654321", "552187654321"},
		{"the same without the ninth digit", "552187654321", "552187654321"},
		{"area code 55", "+5555999887766", "555599887766"},
		{"landline", "+551132224455", "551132224455"},
		{"foreign", "+351912345678", "351912345678"},
		{"foreign without plus", "351912345678", "351912345678"},
		{"Mexico", "+525512345678", "525512345678"},
		{"Mexico at WhatsApp", "5215512345678", "525512345678"},
		{"Mexico, an area code that begins with 1 is none", "521551234567", "521551234567"},
		{"Argentina, as a landline", "+541123456789", "541123456789"},
		{"Argentina, as a mobile", "5491123456789", "541123456789"},
		{"Argentina, a short number", "54911", "54911"},
		{"Ivory Coast", "+2250707123456", "22507123456"},
		{"Ivory Coast of old", "22507123456", "22507123456"},
		{"Benin", "+2290197123456", "22997123456"},
		{"Benin of old", "22997123456", "22997123456"},
		{"Vietnam", "+84331234567", "84331234567"},
		{"Vietnam of old", "841631234567", "84331234567"},
		{"nothing", "", ""},
		{"no digits", "+", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Key(test.number); got != test.want {
				t.Errorf("Key(%q) = %q; want %q", test.number, got, test.want)
			}
		})
	}
}

func TestFromJID(t *testing.T) {
	for _, test := range []struct {
		name, jid, want string
	}{
		{"person", "5521987654321@s.whatsapp.net", "5521987654321"},
		{"person without the ninth digit", "552187654321@s.whatsapp.net", "552187654321"},
		{"old server name", "5521987654321@c.us", "5521987654321"},
		{"device", "5521987654321:12@s.whatsapp.net", "5521987654321"},
		{"agent and device", "5521987654321.0:12@s.whatsapp.net", "5521987654321"},
		{"foreign", "351912345678@s.whatsapp.net", "351912345678"},
		{"upper case", "5521987654321@S.WhatsApp.Net", "5521987654321"},

		{"hidden id", "182736455463728@lid", ""},
		{"group", "120363041234567890@g.us", ""},
		{"old group", "5521987654321-1600000000@g.us", ""},
		{"status", "status@broadcast", ""},
		{"broadcast list", "1600000000@broadcast", ""},
		{"newsletter", "120363041234567890@newsletter", ""},
		{"WhatsApp itself", "0@s.whatsapp.net", ""},
		{"no server", "5521987654321", ""},
		{"no user", "@s.whatsapp.net", ""},
		{"server of a stranger", "5521987654321@s.whatsapp.net.example.com", ""},
		{"two ats", "5521987654321@c.us@g.us", ""},
		{"letters", "55219abc54321@s.whatsapp.net", ""},
		{"too long", "5521987654321987654321@s.whatsapp.net", ""},
		{"empty", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := FromJID(test.jid)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("FromJID(%q) = %q, %v; want %q", test.jid, got, ok, test.want)
			}
		})
	}
}

func TestDigits(t *testing.T) {
	if got := Digits("+55 21 98765-4321"); got != "5521987654321" {
		t.Errorf("Digits = %q", got)
	}
}

// TestKeySurvivesTheNinthDigit: in every area a mobile has one key, with and without its
// ninth digit, and what Normalize makes of either has it too. Landlines have their own.
func TestKeySurvivesTheNinthDigit(t *testing.T) {
	areas := 0
	for area := 11; area <= 99; area++ {
		with, without := fmt.Sprintf("55%d988776655", area), fmt.Sprintf("55%d88776655", area)
		if Key(with) != Key(without) {
			t.Errorf("area %d: %s and %s", area, Key(with), Key(without))
		}
		e164, ok := Normalize(with, "BR")
		if !ok {
			continue // there is no such area
		}
		areas++
		if again, _ := Normalize(without, "BR"); again != e164 || Key(again) != Key(without) {
			t.Errorf("area %d: %s, and without the ninth digit %s", area, e164, again)
		}
		landline := fmt.Sprintf("55%d32224455", area)
		if e164, _ := Normalize(landline, "BR"); e164 != "+"+landline || Key(e164) == Key(with) {
			t.Errorf("area %d: the landline became %s", area, e164)
		}
		if digits, ok := FromJID(without + "@s.whatsapp.net"); !ok || Key(digits) != Key(e164) {
			t.Errorf("area %d: the WhatsApp id without the ninth digit is refused", area)
		}
	}
	if areas != 67 {
		t.Errorf("Brazil has 67 areas, found %d", areas)
	}
}

// TestCustomerAndWhatsAppMeet is why there is a Key: what a platform sends and what
// WhatsApp calls the same person.
func TestCustomerAndWhatsAppMeet(t *testing.T) {
	atThePlatform, ok := Normalize("(43) 99183-4229", "BR")
	if !ok {
		t.Fatal("the platform's number was refused")
	}
	atWhatsApp, ok := FromJID("554391834229@s.whatsapp.net")
	if !ok {
		t.Fatal("the WhatsApp id was refused")
	}
	if Key(atThePlatform) != Key(atWhatsApp) {
		t.Errorf("keys differ: %q and %q", Key(atThePlatform), Key(atWhatsApp))
	}
}

// TestKeysKeepWhatWasStored: what an earlier version stored under a number's digits is found by
// the number in whatever form.
func TestKeysKeepWhatWasStored(t *testing.T) {
	for name, forms := range map[string][]string{
		"Brazil": {"5521987654321", "552187654321"}, "Portugal": {"351912345678"},
		"Mexico": {"525512345678", "5215512345678"}, "Argentina": {"541123456789", "5491123456789"},
		"Ivory Coast": {"2250707123456", "22507123456"}, "Benin": {"2290197123456", "22997123456"},
	} {
		for _, form := range forms {
			keys := Keys("+" + form)
			if keys[0] != Key(form) || len(keys) > 2 {
				t.Errorf("%s: keys %v", name, keys)
			}
			for _, stored := range forms {
				if name != "Brazil" && !slices.Contains(keys, stored) {
					t.Errorf("%s: %s does not find what was stored as %s", name, form, stored)
				}
			}
		}
	}
}

func TestShared(t *testing.T) {
	for number, want := range map[string]bool{
		"+5521987654321": true, "+551132224455": true, "2250707123456": true,
		"+525512345678": false, "5491123456789": false, "+351912345678": false, "": false, "55": false,
	} {
		if Shared(number) != want {
			t.Errorf("Shared(%q) is %v", number, !want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, raw := range []string{
		"(21) 98765-4321", "+55 43 9183-4229", "55999887766", "0152198765-4321", "0055", "+", "+1",
		"+351 912 345 678", "351912345678", "0800 123 4567", "99999999999", "abc", "\xff", "+800 1234 5678",
		"+39 0 12345", "+52 1 55 1234 5678", "+52 1 1 1 55 1234 5678", "+225 07 12 34 56", "+229 97 12 34 56",
		"+84 163 123 4567", "+54 9 11 15 2345 6789", "+54 9 11 2345 6789", "+5700000000001",
	} {
		for _, region := range []string{"BR", "PT", "MX", ""} {
			f.Add(raw, region)
		}
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		e164, ok := Normalize(raw, region)
		if !ok {
			if e164 != "" {
				t.Fatalf("refused, and still %q", e164)
			}
			return
		}
		if e164[0] != '+' || e164[1] == '0' || e164[1:] != Digits(e164) || len(e164) < 1+minDigits ||
			len(e164) > 1+maxDigits {
			t.Fatalf("not E.164: %q", e164)
		}
		again, ok := Normalize(e164, region)
		if !ok || again != e164 {
			t.Fatalf("not stable: %q, then %q, %v", e164, again, ok)
		}
		if Key(again) != Key(Digits(e164)) {
			t.Fatalf("the key depends on the plus: %q", e164)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, number := range []string{"+5521987654321", "552187654321", "55", "351912345678", "", "x", "550001120000000",
		"550119876543",
		"5215512345678", "5491123456789", "22507123456", "2290101234567", "841201234567"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number string) {
		key := Key(number)
		if Key(key) != key {
			t.Fatalf("not idempotent: %q, then %q", key, Key(key))
		}
		if Digits(key) != key {
			t.Fatalf("not digits: %q", key)
		}
		if len(key) != 12 || !strings.HasPrefix(key, brazilCode) {
			return
		}
		if e164, ok := Normalize("+"+key, "BR"); ok && Key(e164) != key {
			t.Fatalf("the key %q of a Brazilian number does not survive normalisation: %q", key, e164)
		}
	})
}

func BenchmarkNormalize(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Normalize("(21) 98765-4321", "BR"); !ok {
			b.Fatal("refused")
		}
	}
}

func TestIsRegion(t *testing.T) {
	for region, want := range map[string]bool{"": true, "BR": true, "gb": true, "PT": true, "UK": false, "XX": false,
		"BRA": false} {
		if got := IsRegion(region); got != want {
			t.Errorf("%q: %t", region, got)
		}
	}
}
