package outbound

import "net/netip"

// reserved are the addresses that no public endpoint has, beside those that netip tells by
// itself: of the cluster, of the machine, of documentation, of tunnels that lead to either.
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
	"192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

var (
	// globalUnicast is where public IPv6 addresses are; everything else of IPv6 is for a purpose.
	globalUnicast = netip.MustParsePrefix("2000::/3")
	// translated is how IPv4 addresses are reached from a network without IPv4 (NAT64); the last
	// 32 bits are the address.
	translated = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		parsed = append(parsed, netip.MustParsePrefix(text))
	}
	return parsed
}

// IsPublic says whether an address is one of the Internet at large. An IPv4 address is judged
// in whichever way it is written: as itself, mapped into IPv6, or translated.
func IsPublic(address netip.Addr) bool {
	address = plain(address)
	switch {
	case !address.IsValid(), address.Zone() != "", address.IsUnspecified(), address.IsLoopback(),
		address.IsPrivate(), address.IsMulticast(), address.IsLinkLocalUnicast(), isIn(reserved, address):
		return false
	}
	return address.Is4() || globalUnicast.Contains(address)
}

// plain is the IPv4 address that an IPv6 address stands for, else the address.
func plain(address netip.Addr) netip.Addr {
	address = address.Unmap()
	if address.Is6() && translated.Contains(address.WithZone("")) {
		bytes := address.As16()
		return netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return address
}

func isIn(ranges []netip.Prefix, address netip.Addr) bool {
	for _, each := range ranges {
		if each.Contains(address) {
			return true
		}
	}
	return false
}
