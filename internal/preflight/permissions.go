package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/authorization/v1"
)

// atOnce is how many questions are under way.
const atOnce = 8

// ErrForbidden: the operator's service account may not do what it needs to.
var ErrForbidden = errors.New("the operator's service account lacks permissions")

// Role is what a process needs to be allowed: everything that the rules say, in each of the namespaces, or in the whole
// cluster where none are named.
type Role struct {
	Rules      []rbacv1.PolicyRule
	Namespaces []string
	// ClusterWide are the resources among them that are in no namespace, or asked for in all at once.
	ClusterWide []string
}

// InNamespaces is the part of the role that a Role in each of the namespaces can grant.
func (r Role) InNamespaces() Role {
	part := Role{Namespaces: r.Namespaces}
	for i := range r.Rules {
		rule := *r.Rules[i].DeepCopy()
		rule.Resources = slices.DeleteFunc(rule.Resources, func(resource string) bool {
			return slices.Contains(r.ClusterWide, resource)
		})
		if len(rule.Resources) > 0 {
			part.Rules = append(part.Rules, rule)
		}
	}
	return part
}

// Permissions asks the API server whether this process may do everything that its roles say. The error names
// each verb and resource that is missing.
func Permissions(ctx context.Context, reviews client.SelfSubjectAccessReviewInterface, roles ...Role) error {
	var (
		asking  sync.WaitGroup
		mu      sync.Mutex
		missing []string
		failed  error
	)
	slots := make(chan struct{}, atOnce)
	var needed []authorizationv1.ResourceAttributes
	for _, role := range roles {
		needed = append(needed, role.attributes()...)
	}
	for _, wanted := range needed {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			allowed, err := ask(ctx, reviews, wanted)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				failed = err
			case !allowed:
				missing = append(missing, describe(wanted))
			}
		})
	}
	asking.Wait()
	if failed != nil {
		return failed
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%w: it may not %s; apply its roles with %s", ErrForbidden, named(missing), Install)
}

func ask(ctx context.Context, reviews client.SelfSubjectAccessReviewInterface,
	wanted authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &wanted}}
	answer, err := reviews.Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask the API server whether this process may %s: %w", describe(wanted), err)
	}
	return answer.Status.Allowed, nil
}

// attributes are what the rules allow, one by one.
func (r Role) attributes() []authorizationv1.ResourceAttributes {
	var all []authorizationv1.ResourceAttributes
	for i := range r.Rules {
		for _, group := range r.Rules[i].APIGroups {
			for _, resource := range r.Rules[i].Resources {
				in := r.Namespaces
				if len(in) == 0 || slices.Contains(r.ClusterWide, resource) {
					in = []string{""}
				}
				for _, verb := range r.Rules[i].Verbs {
					all = append(all, each(group, resource, verb, r.Rules[i].ResourceNames, in)...)
				}
			}
		}
	}
	return all
}

func each(group, resource, verb string, names, namespaces []string) []authorizationv1.ResourceAttributes {
	if len(names) == 0 {
		names = []string{""}
	}
	resource, sub, _ := strings.Cut(resource, "/")
	var all []authorizationv1.ResourceAttributes
	for _, namespace := range namespaces {
		for _, name := range names {
			all = append(all, authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: sub, Name: name,
			})
		}
	}
	return all
}

// describe is for example "patch suppressions.cartrecovery.dev/status in namespace shop".
func describe(wanted authorizationv1.ResourceAttributes) string {
	text := wanted.Verb + " " + wanted.Resource
	if wanted.Group != "" {
		text += "." + wanted.Group
	}
	if wanted.Subresource != "" {
		text += "/" + wanted.Subresource
	}
	if wanted.Name != "" {
		text += " " + wanted.Name
	}
	if wanted.Namespace != "" {
		text += " in namespace " + wanted.Namespace
	}
	return text
}
