package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// auditEvent is what is read of a line of the audit log.
type auditEvent struct {
	Verb string    `json:"verb"`
	At   time.Time `json:"requestReceivedTimestamp"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef *struct {
		Resource    string `json:"resource"`
		APIGroup    string `json:"apiGroup"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus *struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// Audited has the API server write down, into log, what users of a group ask it for.
func Audited(dir, log, group string) (func(*envtest.Environment), error) {
	policy := filepath.Join(dir, "audit-policy.yaml")
	content := `{"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["RequestReceived","ResponseStarted"],` +
		`"rules":[{"level":"Metadata","userGroups":["` + group + `"]},{"level":"None"}]}`
	if err := os.WriteFile(policy, []byte(content), 0o600); err != nil {
		return nil, fmt.Errorf("write the audit policy: %w", err)
	}
	return func(environment *envtest.Environment) {
		environment.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", policy).Set("audit-log-path", log)
	}, nil
}

// ReadAudit is what users whose names have a prefix asked for since a time ("name resource verb"), and what of it was
// refused, with the name of the object.
func ReadAudit(log, prefix string, since time.Time) (used, refused map[string]bool, failed error) {
	file, err := os.Open(log) //nolint:gosec // a file of the sandbox
	if err != nil {
		return nil, nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer func() { failed = errors.Join(failed, file.Close()) }()
	used, refused = map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditEvent
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, nil, fmt.Errorf("read a line of the audit log: %w", err)
		}
		who, ours := strings.CutPrefix(event.User.Username, prefix)
		if !ours || event.ObjectRef == nil || event.At.Before(since) {
			continue
		}
		right := fmt.Sprintf("%s %s %s", who, ResourceOf(event.ObjectRef.Resource, event.ObjectRef.APIGroup,
			event.ObjectRef.Subresource), event.Verb)
		used[right] = true
		if event.ResponseStatus != nil && event.ResponseStatus.Code == 403 {
			refused[right+" "+event.ObjectRef.Namespace+"/"+event.ObjectRef.Name] = true
		}
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("read the audit log: %w", err)
	}
	return used, refused, nil
}

// ResourceOf names a resource as kubectl auth can-i does, with its group, and its subresource.
func ResourceOf(resource, group, subresource string) string {
	if group != "" {
		resource += "." + group
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	return resource
}
