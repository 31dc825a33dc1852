package webhookserver

import (
	lru "github.com/hashicorp/golang-lru/v2"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// maxMappings bounds how many compiled mappings are kept.
const maxMappings = 1024

// mappings keeps the platforms whose mappings were compiled, which takes longer than to read a delivery. A mapping is
// that of one generation of its Store.
type mappings struct {
	compiled *lru.Cache[mappingKey, platforms.Platform]
}

type mappingKey struct {
	store      types.UID
	generation int64
	platform   v1alpha1.PlatformName
}

func newMappings() *mappings {
	// New fails only for a size that is not positive.
	compiled, _ := lru.New[mappingKey, platforms.Platform](maxMappings)
	return &mappings{compiled}
}

// configured is the platform that an entry of a Store describes. The error is a *platforms.ConfigError.
func (m *mappings) configured(
	store *v1alpha1.Store, entry *v1alpha1.StorePlatform,
) (platforms.Platform, error) {
	if entry.Generic == nil || store.UID == "" || store.Generation == 0 {
		return platforms.Configured(entry) //nolint:wrapcheck // its kind is looked at
	}
	key := mappingKey{store.UID, store.Generation, entry.Name}
	if known, isKnown := m.compiled.Get(key); isKnown {
		return known, nil
	}
	made, err := platforms.Configured(entry)
	if err != nil {
		return nil, err //nolint:wrapcheck // its kind is looked at
	}
	m.compiled.Add(key, made)
	return made, nil
}
