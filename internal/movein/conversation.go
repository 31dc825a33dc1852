package movein

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// said is a message of another backend.
type said struct {
	id   string
	role v1alpha1.Role
	text string
	at   time.Time
}

var roles = map[string]v1alpha1.Role{
	"customer": v1alpha1.RoleCustomer, "user": v1alpha1.RoleCustomer, "lead": v1alpha1.RoleCustomer,
	"client": v1alpha1.RoleCustomer, "inbound": v1alpha1.RoleCustomer, "in": v1alpha1.RoleCustomer,
	"received": v1alpha1.RoleCustomer, "cliente": v1alpha1.RoleCustomer,
	"assistant": v1alpha1.RoleAssistant, "ai": v1alpha1.RoleAssistant, "bot": v1alpha1.RoleAssistant,
	"agent": v1alpha1.RoleAssistant, "outbound": v1alpha1.RoleAssistant, "out": v1alpha1.RoleAssistant,
	"sent": v1alpha1.RoleAssistant, "model": v1alpha1.RoleAssistant,
	"person": v1alpha1.RolePerson, "human": v1alpha1.RolePerson, "operator": v1alpha1.RolePerson,
	"attendant": v1alpha1.RolePerson, "atendente": v1alpha1.RolePerson,
}

// messageColumns are the fields of a message.
var messageColumns = Columns{
	{Name: "role", Aliases: []string{"from", "sender", "author", "direction", "type"}},
	{Name: "text", Aliases: []string{"content", "message", "body"}},
	{Name: "at", Aliases: []string{"createdAt", "timestamp", "sentAt", "date", "time"}},
	{Name: "id", Aliases: []string{"messageId", "gatewayId", "keyId"}},
}

// among are the values of columns. Of several that mean one, the first name counts that has a value.
func (c Columns) among(fields map[string]json.RawMessage) map[string]json.RawMessage {
	byName := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if textOf(fields[name]) != "" {
			byName[normal(name)] = fields[name]
		}
	}
	found := map[string]json.RawMessage{}
	for i := range c {
		for _, name := range slices.Concat([]string{c[i].Name}, c[i].Aliases) {
			if value, has := byName[normal(name)]; has {
				found[c[i].Name] = value
				break
			}
		}
	}
	return found
}

// maxMessageID is what the schema takes of an id.
const maxMessageID = 160

// conversation are the messages of a row, oldest first.
func (c *cells) conversation() []said {
	const field = "conversation"
	raw := c.get(field)
	if raw == "" {
		return nil
	}
	var fields []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &fields); err != nil {
		c.wrong(field, "expected a JSON array of objects with role, text and at")
		return nil
	}
	var talk []said
	for i, each := range fields {
		if message, ok := c.message(field+"["+strconv.Itoa(i)+"]", each); ok {
			talk = append(talk, message)
		}
	}
	slices.SortStableFunc(talk, func(a, b said) int { return a.at.Compare(b.at) })
	return talk
}

// message is one message of a row; false for one that is wrong, or of the system.
func (c *cells) message(field string, fields map[string]json.RawMessage) (said, bool) {
	raw := messageColumns.among(fields)
	values := map[string]string{}
	for column, value := range raw {
		values[column] = textOf(value)
	}
	if normal(values["role"]) == "system" {
		return said{}, false
	}
	role, known := roles[normal(values["role"])]
	if !known {
		c.wrong(field+".role", "expected customer, assistant or person (user, ai and others mean one of them)")
	}
	at, ok := readTime(values["at"], c.Zone)
	if !ok || at.After(c.Now.Add(clockSkew)) {
		c.wrong(field+".at", "expected a time that is over, such as 2026-03-02T12:00:00Z")
	}
	// The words of an opt-out are not found in what is nested.
	if isNested(raw["text"]) {
		c.wrong(field+".text", "expected a text")
	}
	text, id := plain(values["text"]), lax.Clean(values["id"], MaxRow)
	if id == "" || len(id) > maxMessageID {
		sum := sha256.Sum256([]byte(string(role) + "\x00" + at.Format(time.RFC3339Nano) + "\x00" + text))
		id = "import-" + hex.EncodeToString(sum[:8])
	}
	return said{id: id, role: role, text: text, at: at}, known && ok
}

// plain is a text as the webhook server keeps messages: with its lines, and without other control characters.
func plain(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n")))
}

// messages are a conversation as a lead keeps it. What the store wrote before the customer did were the steps of its
// sequence; the first message after one of the customer's answered it. So no step is sent twice, and nothing is
// answered twice.
func messages(talk []said, steps []v1alpha1.Step, instance string) []v1alpha1.Message {
	var kept []v1alpha1.Message
	step, heard, answered := 0, "", false
	for _, each := range talk {
		message := v1alpha1.Message{ID: each.id, Role: each.role, At: v1alpha1.NewTimestamp(each.at),
			Instance: instance}
		message.Text, message.Shortened = lead.Clip(each.text, v1alpha1.MaxMessageLength, v1alpha1.MaxMessageBytes)
		switch each.role {
		case v1alpha1.RoleCustomer:
			heard, answered = each.id, false
		case v1alpha1.RoleAssistant:
			sent := message.At
			message.State, message.SentAt = v1alpha1.MessageSent, &sent
			switch {
			case heard == "":
				message.Step = stepName(steps, step)
				message.ID = lead.StepID(0, message.Step)
				step++
			case !answered:
				message.ID, answered = lead.ReplyID(0, heard), true
			}
		case v1alpha1.RolePerson:
		}
		if lead.Find(kept, message.ID) == nil {
			kept = lead.Append(kept, message)
		}
	}
	return kept
}

// stepName is the name of a step of the sequence, by its place; of one more a name that no sequence has.
func stepName(steps []v1alpha1.Step, at int) string {
	if at < len(steps) {
		return steps[at].Name
	}
	return "imported-" + strconv.Itoa(at+1)
}

// unknownText stands for a first message whose text was not exported.
const unknownText = "…"

// contacted is the conversation of a lead that was written to, as far as it is known.
func contacted(talk []said, at time.Time) []said {
	if slices.ContainsFunc(talk, func(each said) bool { return each.role == v1alpha1.RoleAssistant }) {
		return talk
	}
	for _, each := range talk {
		if at.IsZero() || each.at.Before(at) {
			at = each.at.Add(-time.Second)
		}
	}
	return slices.Concat([]said{{role: v1alpha1.RoleAssistant, text: unknownText, at: at}}, talk)
}

// optsOut says whether the customer asked not to be written to, by the status of the row or by the words of the policy.
func optsOut(rules *policy.Policy, row *told) bool {
	return row.reached == optedOut || slices.ContainsFunc(row.talk, func(each said) bool {
		return each.role == v1alpha1.RoleCustomer && rules.OptsOut(each.text)
	})
}
