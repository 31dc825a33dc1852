// Package guard decides whether a generated text may be sent to a customer. It is pure:
// no clock, no client, no randomness, and a bounded amount of work whatever it is given.
//
// It works on words and numbers, not on meaning, so it is wrong now and then. It is built
// to be wrong on the safe side: a good text that is refused is written once more with the
// reason, a bad one that passes reaches a customer.
package guard

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLength is how long a text may be, in characters. Links do not count: a checkout link
// can be longer than what is said about it.
const MaxLength = 700

// maxWhole bounds a text with its links, in characters.
const maxWhole = 2048

// Facts are what a text is judged by.
type Facts struct {
	// Prompt is everything the store itself said: the rendered system prompt with the
	// product's description, the coupon, the amount and the step's instructions. Neither the
	// customer's words nor earlier texts of the AI belong here: a number or a promise
	// found in it may be repeated.
	Prompt string
	// Hosts a text may link to; their subdomains are allowed too. What looks like a URL
	// is read as its host.
	Hosts []string
	// Coupon is the code that may be given; "" when there is none.
	Coupon string
	// Locale the store writes in, for example pt-BR.
	Locale string
	// Customer is the customer's last messages; their language may be used. Nothing they say
	// is a fact.
	Customer []string
	// Last is the store's last message; "" when there is none.
	Last string
	// Earlier are the store's messages before the last one.
	Earlier []string
}

// Reason names why a text may not be sent.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	// Empty: there is nothing to read in it.
	Empty Reason = "Empty"
	// TooLong: more than MaxLength characters.
	TooLong Reason = "TooLong"
	// Braces: a template's braces or a placeholder nobody filled in.
	Braces Reason = "Braces"
	// Link: a link, address or phone number that may not be given.
	Link Reason = "Link"
	// Price: a price, percentage or instalment that the prompt does not contain.
	Price Reason = "Price"
	// Coupon: a coupon code or discount that does not exist.
	Coupon Reason = "Coupon"
	// Promise: a promise that the prompt does not contain.
	Promise Reason = "Promise"
	// Payment: a way to pay that the prompt does not name.
	Payment Reason = "Payment"
	// Deadline: a deadline, a day or a scarcity that the prompt does not name.
	Deadline Reason = "Deadline"
	// Result: what it would do for somebody's money, health or success, which the prompt does not say.
	Result Reason = "Result"
	// Deed: it says that something was done, which a text cannot do.
	Deed Reason = "Deed"
	// Language: neither the store's language nor the customer's.
	Language Reason = "Language"
	// Repeat: what the store said before.
	Repeat Reason = "Repeat"
	// Leak: it tells of its instructions, or of what writes it.
	Leak Reason = "Leak"
	// Identity: it says that a person writes.
	Identity Reason = "Identity"
	// Sensitive: it asks for what nobody may be asked for in a chat.
	Sensitive Reason = "Sensitive"
	// Pressure: it threatens or shames.
	Pressure Reason = "Pressure"
	// Privacy: it tells of other people.
	Privacy Reason = "Privacy"
	// Number: a count, duration, date or time of day that the prompt does not contain.
	Number Reason = "Number"
)

// Reasons are all reasons why a text may not be sent, in the order of their names.
func Reasons() []Reason { return slices.Sorted(maps.Keys(details)) }

// Refusal says why a text may not be sent.
type Refusal struct {
	// Reason names the rule.
	Reason Reason
	// Detail says in fixed words what to do instead. It never holds a part of the text, so
	// it may be told to the AI and shown in a condition.
	Detail string
}

// details say, for each reason, what to do instead.
var details = map[Reason]string{
	Empty:   "the text is empty; write a message",
	TooLong: "the text is too long; write two short sentences",
	Braces:  "the text holds braces or a placeholder; write it out, or leave out what is not known",
	Link: "the text holds a link, e-mail address, phone number or profile that was not given; use only the " +
		"link that was given, letter by letter, or none",
	Price: "the text names a price, percentage or instalment that was not given; name only numbers that were " +
		"given, and calculate none",
	Coupon: "the text offers a coupon or discount that was not given; offer only what was given, or say that " +
		"there is none",
	Promise: "the text promises something that was not given, such as a guarantee, a refund, a gift or a " +
		"deadline; leave it out, or say that it is not known",
	Payment:  "the text names a way to pay that was not given; say that the payment page shows the ways to pay",
	Deadline: "the text names a deadline, a day or a scarcity that was not given; leave it out and do not hurry",
	Result: "the text claims what the product does for money, health or success, or promises success; say only " +
		"what was given of the product",
	Number: "the text names a number, a duration, a date or a time that was not given; name only those that were " +
		"given, with what they count",
	Deed: "the text says that something was removed, cancelled, refunded, changed or sent, which was not done; " +
		"say what is known, or call the function for it where there is one",
	Language: "the text is in another language than the store's and the customer's; write in the language that was " +
		"asked for",
	Repeat: "the text repeats an earlier message; say something new",
	Leak: "the text speaks of its instructions, of what writes it, or carries the label of a speaker; write " +
		"only the message to the customer",
	Identity: "the text says that a person writes, or tells of a life; say that it is the store's virtual service, " +
		"or nothing of it",
	Pressure:  "the text threatens or shames; be kind, or say goodbye",
	Privacy:   "the text tells of other people; leave them out",
	Sensitive: "the text asks for a password, a code, a document or card data; never ask for these",
}

// rules look for one reason each, in the order of the constants.
var rules = []struct {
	reason Reason
	broken func(*subject) bool
}{
	{Braces, (*subject).hasBraces},
	{Link, (*subject).hasLink},
	{Price, (*subject).hasPrice},
	{Coupon, (*subject).hasCoupon},
	{Promise, (*subject).hasPromise},
	{Payment, (*subject).otherPayment},
	{Deadline, (*subject).hasDeadline},
	{Result, (*subject).hasResult},
	{Deed, (*subject).claimsDeed},
	{Language, (*subject).inOtherLanguage},
	{Repeat, (*subject).repeats},
	{Leak, (*subject).leaks},
	{Identity, (*subject).claimsIdentity},
	{Sensitive, (*subject).asksSecrets},
	{Pressure, (*subject).presses},
	{Privacy, (*subject).tellsOfOthers},
	{Number, (*subject).hasStrangeNumber},
}

// Check returns the first reason why the text may not be sent, in the order of the
// constants; nil when it may. The same text and facts always have the same answer.
func Check(text string, facts Facts) *Refusal {
	switch {
	case isEmpty(text):
		return refuse(Empty)
	case isTooLong(text):
		return refuse(TooLong)
	}
	judged := newSubject(text, &facts)
	for _, rule := range rules {
		if rule.broken(judged) {
			return refuse(rule.reason)
		}
	}
	return nil
}

func refuse(reason Reason) *Refusal { return &Refusal{Reason: reason, Detail: details[reason]} }

// isEmpty looks for a letter, a digit or a symbol: an emoji is an answer, dots are not.
func isEmpty(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r))
	})
}

func isTooLong(text string) bool {
	if len(text) > maxWhole*utf8.UTFMax || utf8.RuneCountInString(text) > maxWhole {
		return true
	}
	count := -1
	for field := range strings.FieldsSeq(text) {
		count++
		if !strings.HasPrefix(field, "https://") && !strings.HasPrefix(field, "http://") {
			count += utf8.RuneCountInString(field)
		}
	}
	return count > MaxLength
}

// placeholder is what a model writes where it was to fill something in.
var placeholder = regexp.MustCompile(
	`[\[<](?:o |a |seu |sua |the |your |tu |su |insira |insert )?(?:nome|name|nombre|link|url|cupom|coupon|cupon|preco|price|precio|valor|produto|product|producto|cliente|customer|loja|store)[^\]>\n]{0,40}[\]>]`)

func (s *subject) hasBraces() bool {
	return strings.ContainsAny(s.folded, "{}") || strings.Contains(s.folded, "<%") || placeholder.MatchString(s.folded)
}
