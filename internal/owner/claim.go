package owner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// hashedClaim begins the names of claims whose clientID is no name of an object.
const hashedClaim = "x-"

// ClaimName is the name of the ClientIDClaim of a clientID: the clientID, where that can be one.
func ClaimName(clientID string) string {
	if isName(clientID) && !strings.HasPrefix(clientID, hashedClaim) {
		return clientID
	}
	sum := sha256.Sum256([]byte(clientID))
	return hashedClaim + hex.EncodeToString(sum[:16])
}

// isName says whether something can be the name of an object. Most clientIDs are a label, which is seen
// without the library's expression: every delivery asks.
func isName(text string) bool {
	notOfLabel := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if text != "" && len(text) <= validation.DNS1123LabelMaxLength && strings.IndexFunc(text, notOfLabel) < 0 &&
		text[0] != '-' && text[len(text)-1] != '-' {
		return true
	}
	return len(validation.IsDNS1123Subdomain(text)) == 0
}

// ClaimedBy is the namespace that has a clientID, "" while none has it.
func ClaimedBy(ctx context.Context, reader client.Reader, clientID string) (string, error) {
	var claim v1alpha1.ClientIDClaim
	err := reader.Get(ctx, types.NamespacedName{Name: ClaimName(clientID)}, &claim, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the claim of a clientID: %w", err)
	}
	return claim.Spec.Namespace, nil
}

// StoreOf returns the index of the Store that has the clientID which all of them claim, -1 when
// none has it: the oldest, in the namespace that has the clientID where one has.
func StoreOf(stores []v1alpha1.Store, claimedBy string) int {
	winner := -1
	for i := range stores {
		switch {
		case claimedBy != "" && stores[i].Namespace != claimedBy:
		case winner < 0 || Older(&stores[i], &stores[winner]):
			winner = i
		}
	}
	return winner
}
