package platforms

import (
	"cartrecovery.dev/operator/api/v1alpha1"
)

// registry is every platform that is understood, in the order of the API's list. A new
// platform is one file and one line here.
var registry = []Platform{
	hotmart{},
	kiwify{},
	eduzz{},
}

// Lookup finds a platform by its name in URLs; false when it is not understood.
func Lookup(name string) (Platform, bool) {
	for _, platform := range registry {
		if string(platform.Name()) == name {
			return platform, true
		}
	}
	return nil, false
}

// Names returns the names of the platforms that are understood.
func Names() []v1alpha1.PlatformName {
	names := make([]v1alpha1.PlatformName, 0, len(registry))
	for _, platform := range registry {
		names = append(names, platform.Name())
	}
	return names
}
