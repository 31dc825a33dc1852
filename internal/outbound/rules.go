// Package outbound makes the calls that leave the cluster: which endpoints may be called, which
// Secrets may be sent to them, and the HTTP clients that hold to it. The AI and the gateways
// share it.
//
// Endpoints that the operator was configured with are trusted. Those that a Store or a
// WhatsAppInstance names are its owner's word: they must be https and public, unless the
// operator allows more, and a Secret that is sent to them must name their host.
package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Rules are what the operator allows of endpoints that Stores and WhatsAppInstances name. The
// zero value is the strictest: https to public addresses, and Secrets only where they say so.
type Rules struct {
	// AllowHTTP allows endpoints without TLS.
	AllowHTTP bool
	// AllowCIDRs are addresses that are allowed beside the public ones.
	AllowCIDRs []netip.Prefix
	// Hosts that a Secret may be sent to which names none itself.
	Hosts Hosts
}

// ErrNotPublic is the error of a connection to an address that is neither public nor allowed.
var ErrNotPublic = errors.New("the address is not public, and --allow-endpoint-cidrs does not name it")

// ParseCIDRs reads addresses and ranges of addresses, separated by commas.
func ParseCIDRs(list string) ([]netip.Prefix, error) {
	var parsed []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if address, one := netip.ParseAddr(text); err != nil && one == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no range of addresses, such as 10.0.0.0/8", text)
		}
		parsed = append(parsed, prefix.Masked())
	}
	return parsed, nil
}

// Endpoint says whether an endpoint may be called that a Store or WhatsAppInstance names, as far
// as its URL tells; the address that its host resolves to is checked when it is called. The
// error says in words that are safe to show what was expected.
func (r Rules) Endpoint(base *url.URL) error {
	if base.Scheme != "https" && !r.AllowHTTP {
		return errors.New("only https:// is allowed, unless the operator runs with --allow-http-endpoints")
	}
	if address, named := literal(base); named && !r.Allows(address) {
		return ErrNotPublic
	}
	return nil
}

// Allows says whether an address may be connected to.
func (r Rules) Allows(address netip.Addr) bool {
	return IsPublic(address) || isIn(r.AllowCIDRs, plain(address)) || isIn(r.AllowCIDRs, address)
}
