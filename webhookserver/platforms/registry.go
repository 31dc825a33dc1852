package platforms

import (
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// registry is every platform that is understood, in the order of the API's list. A new platform is a file and a row
// here.
var registry = []definition{
	hotmartRow,
	kiwifyRow,
	eduzzRow,
	kirvanoRow,
	caktoRow,
	tictoRow,
	perfectpayRow,
	monetizzeRow,
	genericRow,
}

// definition is a platform: how it is made of its entry in a Store, and what is said of it.
type definition struct {
	name v1alpha1.PlatformName
	// title is what people call it.
	title string
	// make makes a platform that sends no plain token.
	make func(*v1alpha1.StorePlatform) (Platform, error)
	// tokens is where a platform that sends a plain token is known to put it, and withTokens makes it of where it
	// is looked for.
	tokens     tokens
	withTokens func(tokens) Platform
	// starts are the triggers that the platform tells.
	starts []v1alpha1.Trigger
	// samples has the least delivery of every event, made of the platform's own maps.
	samples func() []sample
	about   About
}

// everyTrigger is what a platform starts that tells of carts and of all payments that are not made.
var everyTrigger = []v1alpha1.Trigger{
	v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending,
	v1alpha1.TriggerPaymentRefused,
}

// sendsToken tells a platform that sends a plain token: its entry may say where.
func (d *definition) sendsToken() bool { return d.withTokens != nil }

// configured makes the platform of its entry in a Store.
func (d *definition) configured(entry *v1alpha1.StorePlatform) (Platform, error) {
	if !d.sendsToken() {
		return d.make(entry)
	}
	where, err := d.tokens.configured(entry.TokenLocation)
	if err != nil {
		return nil, err
	}
	return d.withTokens(where), nil
}

// always makes a platform that a Store has nothing to say about.
func always(platform Platform) func(*v1alpha1.StorePlatform) (Platform, error) {
	return func(*v1alpha1.StorePlatform) (Platform, error) { return platform, nil }
}

// defined finds a platform by its name; nil when it is not understood.
func defined(name v1alpha1.PlatformName) *definition {
	at := slices.IndexFunc(registry, func(each definition) bool { return each.name == name })
	if at < 0 {
		return nil
	}
	return &registry[at]
}

// Known finds a platform by its name in URLs; false when it is not understood.
func Known(name string) (v1alpha1.PlatformName, bool) {
	if found := defined(v1alpha1.PlatformName(name)); found != nil {
		return found.name, true
	}
	return "", false
}

// Configured returns the platform that an entry of a Store describes. The error is a
// *ConfigError.
func Configured(entry *v1alpha1.StorePlatform) (Platform, error) {
	if found := defined(entry.Name); found != nil {
		return found.configured(entry)
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
