package outbound

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxHosts bounds how many hosts one list names; what is beyond is not allowed.
const maxHosts = 100

// Hosts is a list of hosts that a Secret may be sent to. The zero value allows none.
type Hosts struct {
	any     bool
	entries []hostEntry
}

// hostEntry is one host of a list.
type hostEntry struct {
	// host, or what a host must end in, dot included.
	host     string
	wildcard bool
	// port, "" for the scheme's own.
	port string
}

// ParseHosts reads a list of hosts, separated by commas or white space: host, host:port, *.example.com (any name below
// example.com, not itself), or * for any host. Any other entry allows nothing.
func ParseHosts(list string) Hosts {
	var hosts Hosts
	for _, text := range strings.FieldsFunc(list, separatesHosts) {
		if text == "*" {
			hosts.any = true
			continue
		}
		if entry, ok := parseHost(text); ok && len(hosts.entries) < maxHosts {
			hosts.entries = append(hosts.entries, entry)
		}
	}
	return hosts
}

// UnusableHost is the first entry of such a list that allows nothing, "" for none.
func UnusableHost(list string) string {
	for i, text := range strings.FieldsFunc(list, separatesHosts) {
		if _, ok := parseHost(text); (!ok && text != "*") || i >= maxHosts {
			return text
		}
	}
	return ""
}

func separatesHosts(r rune) bool {
	return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t'
}

func parseHost(text string) (hostEntry, bool) {
	host, port := strings.ToLower(text), ""
	if name, number, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return hostEntry{}, false
		}
		host, port = name, number
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	entry := hostEntry{host: host, port: port}
	if below, ok := strings.CutPrefix(host, "*."); ok {
		// A pattern for a whole top level domain is a mistake.
		entry.host, entry.wildcard = "."+below, strings.Contains(below, ".")
		if !entry.wildcard {
			return hostEntry{}, false
		}
	}
	_, notAddress := netip.ParseAddr(host)
	named := !strings.ContainsAny(strings.TrimPrefix(entry.host, "."), "*/@?#:[]\\")
	return entry, host != "" && (named || notAddress == nil)
}

// With is both lists together.
func (h Hosts) With(others Hosts) Hosts {
	return Hosts{any: h.any || others.any, entries: append(append([]hostEntry{}, h.entries...), others.entries...)}
}

// Allow says whether the host of a URL is in the list. An entry without a port means the port
// that is the URL's scheme's own.
func (h Hosts) Allow(base *url.URL) bool {
	if h.any {
		return true
	}
	host, port := hostOf(base), portOf(base)
	_, isAddress := literal(base)
	for _, entry := range h.entries {
		isPort := entry.port == port || port == "" && entry.port == defaultPorts[base.Scheme]
		switch {
		case !isPort:
		case !entry.wildcard && entry.host == host:
			return true
		case entry.wildcard && !isAddress && strings.HasSuffix(host, entry.host):
			return true
		}
	}
	return false
}
