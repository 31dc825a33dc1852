package testenv

import "testing"

// ForTest starts an API server for one test and stops it when the test ends. The test is skipped with -short.
func ForTest(t testing.TB) *Environment {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	environment, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	return environment
}
