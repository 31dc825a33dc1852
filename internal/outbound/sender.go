package outbound

import (
	"context"
	"fmt"
	"net/url"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/secrets"
)

// Sender reads the Secrets that are sent to endpoints.
type Sender struct {
	// Secrets reads them.
	Secrets *secrets.Reader
	// Rules of the operator.
	Rules Rules
}

// Reference is a Secret that a field of an object refers to, in the object's namespace.
type Reference struct {
	// Namespace of the object.
	Namespace string
	// Field that refers to it, for example spec.ai.apiKeySecretRef.
	Field string
	// Ref names it.
	Ref v1alpha1.SecretKeyReference
}

// Read returns what a reference names, where it may be sent to the host of this URL: the Secret's
// annotation cartrecovery.dev/allowed-hosts says so, or it has none and the operator's list does.
// The error is secrets.ErrNotFound, a *failure.Error with code Misconfigured and reason
// SecretNotAllowed, or the API server's.
func (s Sender) Read(ctx context.Context, from Reference, base *url.URL) ([]byte, error) {
	value, annotations, err := s.Secrets.Annotated(ctx, from.Namespace, from.Ref)
	if err != nil {
		return nil, err
	}
	if !s.Rules.MaySend(annotations, base) {
		return nil, notAllowed(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf(
			"%s: Secret %q does not say that it may be sent to %s: annotate it with %s: %s, if that is where it is for",
			from.Field, from.Ref.Name, HostPort(base), v1alpha1.AnnotationAllowedHosts, HostPort(base)))
	}
	return value, nil
}

// MaySend says whether a Secret with these annotations may be sent to the host of a URL.
func (r Rules) MaySend(annotations map[string]string, base *url.URL) bool {
	if own, says := annotations[v1alpha1.AnnotationAllowedHosts]; says {
		return ParseHosts(own).Allow(base)
	}
	return r.Hosts.Allow(base)
}

// Check is Endpoint for a field of an object. The error is a *failure.Error with code
// Misconfigured and reason EndpointNotAllowed.
func (r Rules) Check(field string, base *url.URL) error {
	if err := r.Endpoint(base); err != nil {
		return notAllowed(v1alpha1.ReasonEndpointNotAllowed, field+": "+err.Error())
	}
	return nil
}

// ParseField is ParseBase for a field of an object. The error is a *failure.Error with code Misconfigured and
// reason EndpointNotAllowed.
func ParseField(field, base string) (*url.URL, error) {
	parsed, err := ParseBase(base)
	if err != nil {
		return nil, notAllowed(v1alpha1.ReasonEndpointNotAllowed, field+": "+err.Error())
	}
	return parsed, nil
}

func notAllowed(reason, detail string) *failure.Error {
	return &failure.Error{
		Class: failure.Terminal, Code: failure.Misconfigured, Reason: reason, Op: "outbound: configure", Detail: detail,
	}
}
