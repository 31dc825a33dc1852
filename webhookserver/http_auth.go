package webhookserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// The verbs on whatsappinstances that connect and status ask for.
const (
	verbConnect = "create"
	verbStatus  = "get"
)

// Caller is who a bearer token belongs to.
type Caller = authenticationv1.UserInfo

// Authorizer decides who may use connect and status.
type Authorizer interface {
	// Authenticate returns the caller a token belongs to; false when it belongs to none.
	Authenticate(ctx context.Context, token string) (Caller, bool, error)
	// Authorize says whether the caller, whose token it is, may do verb to the WhatsAppInstances of a
	// namespace.
	Authorize(ctx context.Context, caller Caller, token, verb, namespace string) (bool, error)
}

// NewAuthorizer returns an Authorizer that asks the API server, with TokenReview and
// SubjectAccessReview.
func NewAuthorizer(writer client.Writer) Authorizer { return apiAuthorizer{writer} }

type apiAuthorizer struct{ client client.Writer }

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// Authenticate asks with a TokenReview.
func (r apiAuthorizer) Authenticate(ctx context.Context, token string) (Caller, bool, error) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	if err := r.client.Create(ctx, review); err != nil {
		return Caller{}, false, fmt.Errorf("review token: %w", err)
	}
	return review.Status.User, review.Status.Authenticated, nil
}

// Authorize asks with a SubjectAccessReview.
func (r apiAuthorizer) Authorize(ctx context.Context, caller Caller, _, verb, namespace string) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(caller.Extra))
	for key, values := range caller.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: caller.Username, UID: caller.UID, Groups: caller.Groups, Extra: extra,
		ResourceAttributes: instancesIn(namespace, verb),
	}}
	if err := r.client.Create(ctx, review); err != nil {
		return false, fmt.Errorf("review access: %w", err)
	}
	return review.Status.Allowed, nil
}

// instancesIn is what a caller needs to be allowed.
func instancesIn(namespace, verb string) *authorizationv1.ResourceAttributes {
	return &authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: verb, Group: v1alpha1.GroupVersion.Group, Resource: "whatsappinstances",
	}
}

// admit decides whether a call to connect or status may go on, and for which Store.
// Otherwise it returns the answer.
func (s *Server) admit(ctx context.Context, c *fiber.Ctx, verb string) (*v1alpha1.Store, *answer) {
	token := bearer(c.Get(fiber.HeaderAuthorization))
	if token == "" {
		return nil, challenge()
	}
	from := s.TrustedProxies.ofRequest(c.Context().RemoteAddr(), forwardedFor(c))
	caller, known, err := s.reviews.authenticate(ctx, token, from)
	if errors.Is(err, errTooMany) {
		return nil, &answer{
			status: fiber.StatusTooManyRequests, retry: true,
			body: problem{Error: "too many callers that are not known; try again"},
		}
	}
	if err != nil {
		return nil, s.cannotTell("authenticate a caller", err)
	}
	if !known {
		return nil, challenge()
	}
	store, err := s.store(ctx, param(c, "clientId"))
	if err != nil {
		return nil, s.cannotTell("find the store", err)
	}
	if store == nil {
		missing := notFound()
		return nil, &missing
	}
	allowed, err := s.Authorizer.Authorize(ctx, caller, token, verb, store.Namespace)
	if err != nil {
		return nil, s.cannotTell("authorize a caller", err)
	}
	if !allowed {
		return nil, &answer{status: fiber.StatusForbidden, body: problem{
			Error: fmt.Sprintf("the caller may not %s whatsappinstances.%s in the store's namespace", verb,
				v1alpha1.GroupVersion.Group),
		}}
	}
	return store, nil
}

func (s *Server) cannotTell(what string, err error) *answer {
	s.logFailure("Cannot "+what, err)
	return &answer{status: fiber.StatusServiceUnavailable, retry: true,
		body: problem{Error: "could not " + what + "; try again"}}
}

func challenge() *answer {
	answer := unauthorized()
	answer.challenge = true
	return &answer
}

// bearer copies the token out of an Authorization header; "" when it holds none.
func bearer(header string) string {
	scheme, token, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Clone(strings.TrimSpace(token))
}

// equal compares a credential with what was presented, in a time that tells nothing of
// either. Nothing equals an empty credential.
func equal(credential, presented []byte) bool {
	a, b := sha256.Sum256(credential), sha256.Sum256(presented)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && len(credential) > 0
}
