// Package install tests what installs the operator: the Helm chart, the manifests of config, the targets of the
// Makefile and the commands of the documentation. It is a module of its own because Helm is large; "make test" runs
// it. The helm of its go.mod runs with:
//
//	go tool -modfile=hack/install/go.mod helm
package install
