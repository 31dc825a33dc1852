package outbound

import (
	"net/netip"
	"testing"
)

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "100.63.255.255": true, "100.128.0.1": true, "172.32.0.1": true,
		"2606:4700:4700::1111": true, "2800:3f0:4001::200e": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true,

		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "fc00::1": false,
		"fec0::1": false, "fd00:ec2::254": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false,
		"240.0.0.1": false, "192.0.0.192": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.7": false,
		"203.0.113.9": false, "2001:db8::1": false, "2001::1": false, "2002:7f00:1::": false, "2002:a9fe:a9fe::": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::a00:1": false, "64:ff9b:1::808:808": false,
		"100::1": false, "5f00::1": false, "3fff::1": false, "::ffff:0:127.0.0.1": false,
	} {
		t.Run(address, func(t *testing.T) {
			if got := IsPublic(netip.MustParseAddr(address)); got != want {
				t.Errorf("got %t, want %t", got, want)
			}
		})
	}
	if IsPublic(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// Whatever form an IPv4 address has, it is judged as itself.
func FuzzIsPublic(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{8, 8, 8, 8})
	f.Add([]byte{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		address, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		public := IsPublic(address)
		if public && (address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() ||
			address.IsMulticast()) {
			t.Errorf("%s is public", address)
		}
		if !address.Is4() {
			return
		}
		four := address.As4()
		mapped := netip.AddrFrom16(address.As16())
		translated := netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b, 12: four[0], 13: four[1], 14: four[2],
			15: four[3]})
		if IsPublic(mapped) != public || IsPublic(translated) != public {
			t.Errorf("%s is judged otherwise in another form", address)
		}
	})
}
