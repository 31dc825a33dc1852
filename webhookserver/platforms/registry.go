package platforms

import (
	"cartrecovery.dev/operator/api/v1alpha1"
)

// registry is every platform that is understood, in the order of the API's list: how each
// is made of its entry in a Store. A new platform is one file and one line here.
var registry = []struct {
	name v1alpha1.PlatformName
	make func(*v1alpha1.StorePlatform) (Platform, error)
}{
	{v1alpha1.PlatformHotmart, always(hotmart{})},
	{v1alpha1.PlatformKiwify, always(kiwify{})},
	{v1alpha1.PlatformEduzz, always(eduzz{})},
	{v1alpha1.PlatformKirvano, withToken(kirvanoTokens, newKirvano)},
	{v1alpha1.PlatformCakto, withToken(caktoTokens, newCakto)},
	{v1alpha1.PlatformTicto, withToken(tictoTokens, newTicto)},
	{v1alpha1.PlatformPerfectPay, withToken(perfectpayTokens, newPerfectpay)},
	{v1alpha1.PlatformMonetizze, withToken(monetizzeTokens, newMonetizze)},
	{v1alpha1.PlatformGeneric, newGeneric},
}

// always makes a platform that a Store has nothing to say about.
func always(platform Platform) func(*v1alpha1.StorePlatform) (Platform, error) {
	return func(*v1alpha1.StorePlatform) (Platform, error) { return platform, nil }
}

// Known finds a platform by its name in URLs; false when it is not understood.
func Known(name string) (v1alpha1.PlatformName, bool) {
	for i := range registry {
		if string(registry[i].name) == name {
			return registry[i].name, true
		}
	}
	return "", false
}

// Configured returns the platform that an entry of a Store describes. The error is a
// *ConfigError.
func Configured(entry *v1alpha1.StorePlatform) (Platform, error) {
	for i := range registry {
		if registry[i].name == entry.Name {
			return registry[i].make(entry)
		}
	}
	return nil, &ConfigError{Field: "name", Expected: "a platform that this version understands"}
}

// Names returns the names of the platforms that are understood.
func Names() []v1alpha1.PlatformName {
	names := make([]v1alpha1.PlatformName, 0, len(registry))
	for i := range registry {
		names = append(names, registry[i].name)
	}
	return names
}
