package outbound

import (
	"net/url"
	"strings"
	"testing"
)

func parsed(t testing.TB, address string) *url.URL {
	t.Helper()
	base, err := ParseBase(address)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func TestHostsAllow(t *testing.T) {
	for name, row := range map[string]struct {
		list, base string
		want       bool
	}{
		"the host":                       {"llm.example.com", "https://llm.example.com/v1", true},
		"one of several":                 {"a.example.com, llm.example.com", "https://llm.example.com", true},
		"lines instead of commas":        {"a.example.com\nllm.example.com", "https://llm.example.com", true},
		"another case":                   {"LLM.example.com", "https://llm.EXAMPLE.com", true},
		"a dot at the end of the URL's":  {"llm.example.com", "https://llm.example.com./v1", true},
		"a dot at the end of the list's": {"llm.example.com.", "https://llm.example.com", true},
		"the scheme's own port":          {"llm.example.com", "https://llm.example.com:443", true},
		"the scheme's own port, listed":  {"llm.example.com:443", "https://llm.example.com", true},
		"a listed port":                  {"llm.example.com:8443", "https://llm.example.com:8443", true},
		"a name below":                   {"*.example.com", "https://a.b.example.com", true},
		"any":                            {"*", "http://anything:1", true},
		"an address":                     {"192.0.2.1", "http://192.0.2.1", true},
		"an address of IPv6":             {"[2001:db8::1]:8080", "http://[2001:db8::1]:8080", true},
		"an address of IPv6, no port":    {"2001:db8::1", "https://[2001:db8::1]", true},

		"nothing":                          {"", "https://llm.example.com", false},
		"another host":                     {"llm.example.com", "https://evil.example.com", false},
		"a host that begins so":            {"llm.example.com", "https://llm.example.com.evil.org", false},
		"a host that ends so":              {"example.com", "https://evilexample.com", false},
		"a host below":                     {"example.com", "https://llm.example.com", false},
		"another port":                     {"llm.example.com", "https://llm.example.com:8443", false},
		"another port than listed":         {"llm.example.com:8443", "https://llm.example.com", false},
		"the other scheme's port":          {"llm.example.com:443", "http://llm.example.com", false},
		"a pattern and its own domain":     {"*.example.com", "https://example.com", false},
		"a pattern and a look-alike":       {"*.example.com", "https://evil-example.com", false},
		"a pattern for a top level domain": {"*.com", "https://evil.com", false},
		"a pattern within":                 {"llm.*.com", "https://llm.evil.com", false},
		"a pattern for addresses":          {"*.0.0.1", "http://10.0.0.1", false},
		"a URL instead of a host":          {"https://llm.example.com/v1", "https://llm.example.com", false},
		"a user name":                      {"llm.example.com@evil.org", "https://evil.org", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ParseHosts(row.list).Allow(parsed(t, row.base)); got != row.want {
				t.Errorf("%q allows %s: %t, want %t", row.list, row.base, got, row.want)
			}
		})
	}
}

func TestHostsAreBounded(t *testing.T) {
	list := strings.Repeat("a.example.com,", maxHosts) + "b.example.com"
	if ParseHosts(list).Allow(parsed(t, "https://b.example.com")) {
		t.Error("a host beyond the bound is allowed")
	}
}

// What is told to annotate is what is then allowed.
func FuzzHostPort(f *testing.F) {
	f.Add("https://llm.example.com:8443/v1")
	f.Add("http://[2001:db8::1]:80")
	f.Add("https://EXAMPLE.com.")
	f.Fuzz(func(t *testing.T, address string) {
		base, err := ParseBase(address)
		if err != nil || strings.ContainsAny(base.Host, ", \n\r\t*@/?#\\%") ||
			strings.Trim(hostOf(base), ".[]") != hostOf(base) {
			return
		}
		if strings.Contains(hostOf(base), "[") || strings.Contains(hostOf(base), "]") {
			return
		}
		if _, isAddress := literal(base); strings.Contains(hostOf(base), ":") && !isAddress {
			return
		}
		if !ParseHosts(HostPort(base)).Allow(base) {
			t.Errorf("%q does not allow %q", HostPort(base), address)
		}
	})
}

func TestParseBase(t *testing.T) {
	for address, want := range map[string]bool{
		"https://llm.example.com/v1": true, "\thttps://llm.example.com\n": true, "http://127.0.0.1:8080": true,
		"": false, "llm.example.com": false, "ftp://llm.example.com": false, "https:///v1": false,
		"https://:443":                    false,
		"https://api.openai.com@evil.org": false, "https://u:p@llm.example.com": false,
		"https://llm.example.com?x": false,
		"https://llm.example.com?":  false, "https://evil.org#@api.openai.com": false,
		`https://api.openai.com\@evil.org`: false,
		"https://llm.example.com:port":     false, "https://%zz": false,
	} {
		if _, err := ParseBase(address); (err == nil) != want {
			t.Errorf("%q: %v, want it read: %t", address, err, want)
		}
	}
}
