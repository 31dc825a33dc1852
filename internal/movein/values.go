package movein

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/name"
	"cartrecovery.dev/operator/internal/phone"
)

// Target is what a file is read for.
type Target struct {
	// Store that gets everything, Products and Instances of its namespace.
	Store     *v1alpha1.Store
	Products  []v1alpha1.Product
	Instances []v1alpha1.WhatsAppInstance
	// Batch is the name of the import.
	Batch string
	// Now is when it is read.
	Now time.Time
	// Zone of times that name none; nil for UTC.
	Zone *time.Location
	// GatewayURL is the address of gateways for which a row names none.
	GatewayURL string
}

// Why rows are skipped.
const (
	SkippedClient     = "of another client"
	SkippedLapsed     = "expired already"
	SkippedEnded      = "ended"
	SkippedTooOld     = "older than recovery.expireAfter"
	SkippedNoSequence = "the policy has no sequence for its trigger"
)

// clockSkew is how far ahead the clock of the other backend may be.
const clockSkew = 2 * time.Minute

// cells reads the cells of one row, and collects what is wrong with them.
type cells struct {
	*Target
	row      Row
	problems []Problem
}

func (c *cells) wrong(field, want string) {
	c.problems = append(c.problems, Problem{Place: c.row.Place, Field: field, Want: want})
}

func (c *cells) get(field string) string { return c.row.values[field] }

// isOthers says whether the row is of another client than the Store's.
func (c *cells) isOthers() bool {
	client := c.get("clientId")
	return client != "" && client != c.Store.Spec.ClientID
}

// text is a text of at most so many characters, as the webhook server keeps those of deliveries.
func (c *cells) text(field string, most int) string {
	text := lax.Clean(c.get(field), MaxRow)
	if len([]rune(text)) > most {
		c.wrong(field, "expected at most "+strconv.Itoa(most)+" characters")
	}
	return text
}

// phone is a number in E.164; a WhatsApp id is one as well.
func (c *cells) phone(field string) string {
	raw := c.get(field)
	if raw == "" {
		c.wrong(field, "expected a number, found nothing")
		return ""
	}
	if digits, ok := phone.FromJID(raw); ok {
		raw = "+" + digits
	}
	// A point is a separator in numbers: the zero of a decimal would be a digit, and the number another customer's.
	if whole := decimalForm.FindStringSubmatch(raw); whole != nil {
		raw = whole[1]
	}
	number, ok := phone.Normalize(raw, c.Store.Spec.Region)
	if !ok {
		c.wrong(field, "expected E.164, such as +5511999990000, or a number of the Store's region with its area code")
	}
	return number
}

// oneOf is the value of a name, by its letters and digits.
func oneOf[T any](c *cells, field string, names map[string]T, fallback T, want string) T {
	told := c.get(field)
	if told == "" {
		return fallback
	}
	value, ok := names[normal(told)]
	if !ok {
		c.wrong(field, "expected "+want)
		return fallback
	}
	return value
}

// matching is a text of a form.
func (c *cells) matching(field string, form *regexp.Regexp, want string) string {
	text := lax.Clean(c.get(field), MaxRow)
	if text != "" && !form.MatchString(text) {
		c.wrong(field, want)
		return ""
	}
	return text
}

// timeForms are how exports write times, besides seconds and milliseconds since 1970.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999-07",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02",
	"02/01/2006 15:04:05", "02/01/2006, 15:04:05", "02/01/2006 15:04", "02/01/2006, 15:04", "02/01/2006",
}

// earliest is the first time that is not a mistake.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// time is a time, zero for none.
func (c *cells) time(field string) time.Time {
	text := c.get(field)
	if text == "" {
		return time.Time{}
	}
	at, ok := readTime(text, c.Zone)
	if !ok {
		c.wrong(field, "expected a time, such as 2026-03-02T12:00:00Z")
	}
	return at
}

// past is a time that is over, zero for none.
func (c *cells) past(field string) time.Time {
	at := c.time(field)
	if at.After(c.Now.Add(clockSkew)) {
		c.wrong(field, "expected a time that is over; is its time zone right (--time-zone)?")
	}
	return at
}

func readTime(text string, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		zone = time.UTC
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		at := time.Unix(number, 0)
		if number > 1e11 {
			at = time.UnixMilli(number)
		}
		return at.UTC(), at.After(earliest) && at.Year() < 3000
	}
	if utc, found := strings.CutSuffix(text, " UTC"); found {
		text = utc + "Z"
	}
	for _, form := range timeForms {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return at.UTC(), at.After(earliest) && at.Year() < 3000
		}
	}
	return time.Time{}, false
}

var (
	// decimalForm is how a number is written that was a decimal once, as pandas does where some are missing.
	decimalForm  = regexp.MustCompile(`^(\+?[0-9]+)\.0{1,6}$`)
	amountForm   = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
	commaForm    = regexp.MustCompile(`^([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]{1,2}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	urlForm      = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`)
)

// amount is a decimal with a point; as Brazil writes it, it has a comma.
func (c *cells) amount(field string) string {
	text := strings.TrimSpace(strings.TrimPrefix(c.get(field), "R$"))
	if commaForm.MatchString(text) {
		text = strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", ".")
	}
	if text != "" && !amountForm.MatchString(text) {
		c.wrong(field, "expected a decimal, such as 297.00 or 297,00")
		return ""
	}
	return text
}

// product is what a lead or a cart is about.
func (c *cells) product() v1alpha1.LeadProduct {
	told := v1alpha1.LeadProduct{ID: c.text("productId", 128), Name: c.text("productName", 200)}
	if told.ID == "" && told.Name == "" {
		c.wrong("productId", "expected the product's id or, in productName, its name")
	}
	return told
}

// customer of a lead.
func (c *cells) customer() v1alpha1.LeadCustomer {
	email := strings.ToLower(c.text("email", 254))
	if email != "" && (!strings.Contains(email, "@") || strings.ContainsFunc(email, unicode.IsSpace)) {
		c.wrong("email", "expected an e-mail address, or nothing")
	}
	known, _ := lead.Clip(name.Known(c.get("name")), 200, 1<<10)
	return v1alpha1.LeadCustomer{Name: known, Phone: c.phone("phone"), Email: email}
}
