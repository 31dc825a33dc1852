package outbound

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func loopback(t *testing.T) Rules {
	t.Helper()
	ranges, err := ParseCIDRs("127.0.0.0/8, ::1")
	if err != nil {
		t.Fatal(err)
	}
	return Rules{AllowHTTP: true, AllowCIDRs: ranges}
}

// server counts the calls that reach it, over TLS or not.
func server(t *testing.T, answer http.HandlerFunc) (address string, calls *atomic.Int32) {
	t.Helper()
	calls = &atomic.Int32{}
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(served.Close)
	return served.URL, calls
}

// get returns the status that an address answers.
func get(t *testing.T, client *http.Client, address string) (int, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func TestGuardedClientRefuses(t *testing.T) {
	address, calls := server(t, nil)
	port := address[strings.LastIndex(address, ":"):]
	for name, row := range map[string]struct {
		rules Rules
		url   string
		why   string
	}{
		"http":                       {Rules{}, "http://localhost" + port, "https"},
		"an address of the loopback": {Rules{AllowHTTP: true}, address, "not public"},
		"a name that resolves to it": {Rules{AllowHTTP: true}, "http://localhost" + port, "not public"},
		"an address in another form": {Rules{AllowHTTP: true}, "http://[::ffff:127.0.0.1]" + port, "not public"},
		"the metadata of the cloud": {Rules{AllowHTTP: true}, "http://169.254.169.254/latest/meta-data",
			"not public"},
		"any, where the loopback may":   {loopback(t), "http://10.255.255.1", "not public"},
		"an unspecified address":        {Rules{AllowHTTP: true}, "http://0.0.0.0" + port, "not public"},
		"https to a name of the inside": {Rules{}, "https://localhost" + port, "not public"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := get(t, NewGuardedClient(time.Second, row.rules), row.url)
			if why := Refusal(err); !strings.Contains(why, row.why) {
				t.Errorf("got %v (%q), want it refused: %s", err, why, row.why)
			}
		})
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls were made", calls.Load())
	}
}

func TestGuardedClientCallsWhatIsAllowed(t *testing.T) {
	address, calls := server(t, nil)
	for _, url := range []string{address, strings.Replace(address, "127.0.0.1", "localhost", 1)} {
		if _, err := get(t, NewGuardedClient(5*time.Second, loopback(t)), url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := get(t, NewClient(5*time.Second), address); err != nil {
		t.Errorf("the operator's own endpoint: %v", err)
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls, want 3", calls.Load())
	}
}

// A redirect would carry what the request carries to a host that nobody allowed.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere, calls := server(t, nil)
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	for name, client := range map[string]*http.Client{
		"own": NewClient(5 * time.Second), "guarded": NewGuardedClient(5*time.Second, loopback(t)),
	} {
		status, err := get(t, client, address)
		if err != nil || status != http.StatusTemporaryRedirect {
			t.Errorf("%s: got %d, %v", name, status, err)
		}
	}
	if calls.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestHeadersAreBounded(t *testing.T) {
	address, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 3<<20))
	})
	if _, err := get(t, NewClient(5*time.Second), address); err == nil {
		t.Error("a header of 3 MB was read")
	}
}

// A connection whose protocol was changed is the caller's, whom no timeout of the client helps.
func TestAChangeOfProtocolIsNoAnswer(t *testing.T) {
	address, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_ = buffered.Flush()
		// The connection is held until the other side has enough of it.
		_, _ = conn.Read(make([]byte, 1))
	})
	for name, client := range map[string]*http.Client{
		"own": NewClient(5 * time.Second), "guarded": NewGuardedClient(5*time.Second, loopback(t)),
	} {
		if _, err := get(t, client, address); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A proxy is the operator's own and makes the connections; what stands in the URL is checked.
func TestGuardedClientBehindAProxy(t *testing.T) {
	proxy, calls := server(t, nil)
	through, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	client := NewGuardedClient(5*time.Second, Rules{AllowHTTP: true})
	transport := client.Transport.(answering).RoundTripper.(guarded)
	transport.proxied.Proxy = http.ProxyURL(through)
	transport.proxyOf = transport.proxied.Proxy
	client.Transport = answering{transport}
	if _, err := get(t, client, "http://llm.example.com/"); err != nil || calls.Load() != 1 {
		t.Errorf("got %v and %d calls of the proxy", err, calls.Load())
	}
	if _, err := get(t, client, "http://169.254.169.254/"); Refusal(err) == "" || calls.Load() != 1 {
		t.Errorf("got %v and %d calls of the proxy", err, calls.Load())
	}
}

func TestParseCIDRs(t *testing.T) {
	got, err := ParseCIDRs("10.1.2.3/8, ::1,192.0.2.7")
	if err != nil || len(got) != 3 || got[0].String() != "10.0.0.0/8" || got[1].Bits() != 128 || got[2].Bits() != 32 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := ParseCIDRs("10.0.0.0/8,inside"); err == nil || !strings.Contains(err.Error(), "inside") {
		t.Errorf("got %v", err)
	}
}

func TestRefusalIsNoOtherFailure(t *testing.T) {
	if why := Refusal(errors.New("connection refused")); why != "" {
		t.Errorf("got %q", why)
	}
	if Refusal(nil) != "" {
		t.Error("no error is no refusal")
	}
}
