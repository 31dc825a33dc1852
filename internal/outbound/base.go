package outbound

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// ParseBase reads the address that an API's paths are appended to. The error says in fixed
// words what is wrong, and holds nothing of the address.
func ParseBase(address string) (*url.URL, error) {
	parsed, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil:
		return nil, errors.New("the base URL is not a URL")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return nil, errors.New("the base URL must begin with http:// or https://")
	case parsed.Hostname() == "":
		return nil, errors.New("the base URL names no host")
	case parsed.User != nil:
		return nil, errors.New("the base URL must not hold a user name or password")
	case parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return nil, errors.New("the base URL must not have a query or fragment")
	}
	return parsed, nil
}

// hostOf is the host of a URL as hosts are compared: lower case, without the dot that may end it.
func hostOf(base *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(base.Hostname()), ".")
}

// portOf is the port of a URL, "" where it is its scheme's own.
func portOf(base *url.URL) string {
	port := base.Port()
	if port == defaultPorts[base.Scheme] {
		return ""
	}
	return port
}

var defaultPorts = map[string]string{"https": "443", "http": "80"}

// HostPort names the host of a URL as an allowed-hosts list does: with the port where it is not
// the scheme's own.
func HostPort(base *url.URL) string {
	host, port := hostOf(base), portOf(base)
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

// literal is the address that a URL names instead of a host; false when it names a host.
func literal(base *url.URL) (netip.Addr, bool) {
	address, err := netip.ParseAddr(base.Hostname())
	return address, err == nil
}
