package main

import (
	"context"
	_ "embed" // the role is part of the program: what it may do is what it asks for
	"fmt"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/discovery"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/preflight"
)

// clusterCheckTimeout bounds the look at the cluster; it is longer than preflight.Patience.
const clusterCheckTimeout = time.Minute

// The ClusterRoles that the markers generate: of a process that does everything, and of one for
// each role.
var (
	//go:embed config/rbac/role.yaml
	wholeManifest []byte
	//go:embed config/split/controllers_role.yaml
	controllersManifest []byte
	//go:embed config/split/webhooks_role.yaml
	webhooksManifest []byte
)

// manifest is the ClusterRole that a process with these roles needs.
func (r *roles) manifest() []byte {
	switch {
	case !r.controllers:
		return webhooksManifest
	case !r.webhooks:
		return controllersManifest
	default:
		return wholeManifest
	}
}

// kinds are the custom resources that the operator reads and writes.
var kinds = map[string]any{
	"CartRecovery": &v1alpha1.CartRecovery{}, "ClientIDClaim": &v1alpha1.ClientIDClaim{},
	"Product": &v1alpha1.Product{}, "RecoveryLedger": &v1alpha1.RecoveryLedger{},
	"Store": &v1alpha1.Store{}, "Suppression": &v1alpha1.Suppression{},
	"WhatsAppInstance": &v1alpha1.WhatsAppInstance{},
}

// checkCluster says whether the cluster has the operator's resources, as this version knows
// them, and lets it use them.
func checkCluster(ctx context.Context, config *rest.Config, settings settings, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, clusterCheckTimeout)
	defer cancel()
	// It is asked some dozen small questions, once.
	config = rest.CopyConfig(config)
	config.QPS, config.Burst, config.Timeout = -1, 0, clusterCheckTimeout
	server, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("build the client that looks at the cluster: %w", err)
	}
	if err := preflight.Resources(ctx, server, v1alpha1.GroupVersion, kinds, patience); err != nil {
		return err
	}
	reviews, err := authorization.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("build the client that looks at the cluster: %w", err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(settings.roles.manifest(), &role); err != nil {
		return fmt.Errorf("read the role that is part of the program: %w", err)
	}
	needed := preflight.Role{Rules: role.Rules, Namespaces: settings.namespaces, ClusterWide: clusterWide}
	if settings.namespaced {
		needed = needed.InNamespaces()
	}
	return preflight.Permissions(ctx, reviews.SelfSubjectAccessReviews(), needed,
		preflight.Role{Rules: settings.leaseRules(),
			Namespaces: []string{ownNamespace(settings.leaderElectionNamespace)}},
	)
}

// clusterWide are the resources that are in no namespace, as a RoleBinding cannot grant.
var clusterWide = []string{"clientidclaims", "subjectaccessreviews", "tokenreviews"}

// leaseRules are what the process does with Leases: the heartbeat's, and that of the leader where one is elected.
func (s *settings) leaseRules() []rbacv1.PolicyRule {
	of := func(names []string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"},
			ResourceNames: names, Verbs: verbs}
	}
	names := []string{heartbeat.Name}
	if !s.roles.controllers {
		return []rbacv1.PolicyRule{of(names, "get", "update")}
	}
	if s.leaderElection {
		names = append(names, leaderElectionID)
	}
	return []rbacv1.PolicyRule{of(nil, "create"), of(names, "get", "update")}
}
