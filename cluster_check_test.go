package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"cartrecovery.dev/operator/internal/preflight"
	"cartrecovery.dev/operator/internal/testenv"
)

// everything are the settings of a process of both roles.
var everything = settings{roles: roles{webhooks: true, controllers: true}}

// testForbidden looks at a cluster as somebody who may do nothing.
func testForbidden(t *testing.T, environment *testenv.Environment) {
	user, err := environment.Envtest.AddUser(envtest.User{Name: "nobody"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(as settings, patience time.Duration) error {
		return checkCluster(t.Context(), user.Config(), as, patience)
	}
	for _, as := range []settings{everything, {roles: roles{webhooks: true}}, {roles: roles{controllers: true}}} {
		err := check(as, preflight.Patience)
		if !errors.Is(err, preflight.ErrForbidden) || !strings.Contains(err.Error(),
			"cartrecoveries.cartrecovery.dev") {
			t.Errorf("%s: got %v, want what nobody may not do", as.roles.String(), err)
		}
	}
	ofLeader := everything
	ofLeader.leaderElection, ofLeader.namespaces, ofLeader.leaderElectionNamespace = true, []string{"shop"}, "ops"
	leaderless := fmt.Sprint(check(ofLeader, 0))
	for _, wanted := range []string{
		"create leases.coordination.k8s.io in namespace ops", "create clientidclaims.cartrecovery.dev,",
	} {
		if !strings.Contains(leaderless, wanted) {
			t.Errorf("got %s, want it to name %q", leaderless, wanted)
		}
	}
	ofLeader.namespaced = true
	for _, inCluster := range clusterWide {
		if told := fmt.Sprint(check(ofLeader, 0)); strings.Contains(told, inCluster) {
			t.Errorf("got %s, want nothing of %s, which no Role grants", told, inCluster)
		}
	}
	asWebhooks := fmt.Sprint(check(settings{roles: roles{webhooks: true}}, 0))
	if !strings.Contains(asWebhooks, "cart-recovery-pairing-0") || strings.Contains(asWebhooks, "recoveryledgers") {
		t.Errorf("got %v, want what the webhooks need and nothing else", asWebhooks)
	}
}

// testMissing looks at a cluster with older resources of the operator, and with fewer. It leaves the cluster
// without the CRD of Stores.
func testMissing(t *testing.T, environment *testenv.Environment) {
	if err := apiextensionsv1.AddToScheme(environment.Client.Scheme()); err != nil {
		t.Fatal(err)
	}
	var stores apiextensionsv1.CustomResourceDefinition
	key := client.ObjectKey{Name: "stores.cartrecovery.dev"}
	if err := environment.Client.Get(t.Context(), key, &stores); err != nil {
		t.Fatal(err)
	}
	delete(stores.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"].Properties, "effectivePolicy")
	if err := environment.Client.Update(t.Context(), &stores); err != nil {
		t.Fatal(err)
	}
	within(t, "an older CRD is told", func() bool {
		err := checkCluster(t.Context(), environment.Config, everything, 0)
		return errors.Is(err, preflight.ErrNotInstalled) &&
			strings.Contains(err.Error(), "stores.cartrecovery.dev.status.effectivePolicy")
	})
	if err := environment.Client.Delete(t.Context(), &stores); err != nil {
		t.Fatal(err)
	}
	within(t, "a missing CRD is told", func() bool {
		err := checkCluster(t.Context(), environment.Config, everything, 0)
		return errors.Is(err, preflight.ErrNotInstalled) && strings.Contains(err.Error(), "the CRD of Store is missing")
	})
}

func TestLeaseRules(t *testing.T) {
	for name, row := range map[string]struct {
		as   settings
		want string
	}{
		"a leader": {settings{roles: roles{webhooks: true, controllers: true}, leaderElection: true},
			"create [] get,update [cart-recovery-operator-heartbeat cart-recovery-operator.cartrecovery.dev]"},
		"who is alone": {settings{roles: roles{controllers: true}},
			"create [] get,update [cart-recovery-operator-heartbeat]"},
		"the webhooks only": {settings{roles: roles{webhooks: true}, leaderElection: true},
			"get,update [cart-recovery-operator-heartbeat]"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, rule := range row.as.leaseRules() {
				got = append(got, strings.Join(rule.Verbs, ",")+" "+fmt.Sprint(rule.ResourceNames))
			}
			if text := strings.Join(got, " "); text != row.want {
				t.Errorf("got %s, want %s", text, row.want)
			}
		})
	}
}
