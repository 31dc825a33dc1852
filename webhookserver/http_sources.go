package webhookserver

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Every connection and request has a source, which gets its share and no more. Pure functions.

// sourceBits is how much of an IPv6 address is one source: the network that a customer of a provider gets.
const sourceBits = 64

// source is an address, or a network, that one party is likely to be behind. The zero source has no share
// of its own: it is a proxy that many are behind.
type source = netip.Prefix

// Proxies are the addresses that a load balancer or an Ingress connects from. Their connections are not
// held to the share of one source, and what they say of the address behind them is believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks (CIDR) with commas between them.
func ParseProxies(text string) (Proxies, error) {
	var proxies Proxies
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		network, err := netip.ParsePrefix(part)
		if err != nil {
			single, singleErr := netip.ParseAddr(part)
			if singleErr != nil {
				return nil, fmt.Errorf("trusted proxies: %q: expected an address or a network such as 10.0.0.0/8", part)
			}
			network = netip.PrefixFrom(single, single.BitLen())
		}
		proxies = append(proxies, network.Masked())
	}
	return proxies, nil
}

// has says whether an address is one of the proxies'.
func (p Proxies) has(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// ofConnection is the source of a connection.
func (p Proxies) ofConnection(remote net.Addr) source {
	address := addressOf(remote)
	if !address.IsValid() || p.has(address) {
		return source{}
	}
	return networkOf(address)
}

// ofRequest is the source of a request. A proxy appends the address that it was called from to what its
// caller said (X-Forwarded-For), so the last that is no proxy itself is the one to believe.
func (p Proxies) ofRequest(remote net.Addr, forwarded string) source {
	address := addressOf(remote)
	for address.IsValid() && p.has(address) {
		rest, last := "", forwarded
		if at := strings.LastIndexByte(forwarded, ','); at >= 0 {
			rest, last = forwarded[:at], forwarded[at+1:]
		}
		next, ok := parseForwarded(strings.TrimSpace(last))
		if !ok {
			return source{}
		}
		address, forwarded = next.Unmap().WithZone(""), rest
	}
	if !address.IsValid() {
		return source{}
	}
	return networkOf(address)
}

// forwardedFor is X-Forwarded-For of a request. Some proxies add a line of their own: the lines in their
// order are one list (RFC 9110, 5.3).
func forwardedFor(c *fiber.Ctx) string {
	lines := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)
	return string(bytes.Join(lines, []byte{','}))
}

// parseForwarded reads an address, with its port where a proxy writes that too.
func parseForwarded(text string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return address, true
	}
	withPort, err := netip.ParseAddrPort(text)
	return withPort.Addr(), err == nil
}

func addressOf(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

func networkOf(address netip.Addr) source {
	bits := min(address.BitLen(), sourceBits)
	network, err := address.Prefix(bits)
	if err != nil {
		return source{}
	}
	return network
}
