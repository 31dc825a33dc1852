package policy

import (
	"strconv"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
)

// The defaults of RecoveryPolicy, as documented on its fields.
const (
	DefaultFirstDelay           = 15 * time.Minute
	DefaultCooldown             = 7 * 24 * time.Hour
	DefaultMaxUnanswered        = 3
	DefaultMaxAnswersPerHour    = 20
	DefaultMaxAnswersPerDay     = 60
	DefaultReplyDebounce        = 3 * time.Second
	DefaultExpireAfter          = 72 * time.Hour
	DefaultTTLAfterFinished     = 30 * 24 * time.Hour
	DefaultTTLAfterPurchaseOnly = 72 * time.Hour
	DefaultClaimsPaidAfter      = time.Hour
	// DefaultStepName is the name of the default sequence's only step.
	DefaultStepName = "first"
)

// Policy is a policy with nothing left out.
type Policy struct {
	// Location is the Store's time zone; America/Sao_Paulo where it has none, or none that
	// exists. Never nil in what Resolve returns.
	Location *time.Location
	// Locale (BCP 47) of the Store.
	Locale        string
	Sequences     []v1alpha1.Sequence
	QuietHours    *v1alpha1.QuietHours
	Cooldown      time.Duration
	MaxUnanswered int
	// MaxAnswersPerHour and MaxAnswersPerDay are how many answers a lead gets within any 60
	// minutes, and within any 24 hours.
	MaxAnswersPerHour, MaxAnswersPerDay int

	ReplyDebounce        time.Duration
	ExpireAfter          time.Duration
	TTLAfterFinished     time.Duration
	TTLAfterPurchaseOnly time.Duration
	// TTL overrides TTLAfterFinished for single endings; see TTLOf.
	TTL             v1alpha1.PhaseTTL
	KillSwitchScope v1alpha1.KillSwitchScope
	OptOutKeywords  []string
	// OptOutConfirmation is a template; "" sends none.
	OptOutConfirmation string
	HandOffKeywords    []string
	// HandOffText is a template; "" sends none.
	HandOffText string
	// LateReplies says what becomes of messages to a lead that has expired.
	LateReplies v1alpha1.LateReplies
	// ClaimsPaidAfter is how long the platform's word is waited for when a customer says that
	// they have paid.
	ClaimsPaidAfter time.Duration
	// HandOffResumeAfter is how long after a person's last message a conversation that they
	// took over goes back to the AI; 0 is never.
	HandOffResumeAfter time.Duration
	// FirstMessageNotice is a template; "" adds nothing.
	FirstMessageNotice string
	NumberLost         v1alpha1.NumberLost
	FallbackText       string
	AllowedLinkHosts   []string
}

// Shorter names for the tables below.
type (
	spec  = v1alpha1.RecoveryPolicy
	shown = v1alpha1.EffectivePolicy
)

// Field is a field of RecoveryPolicy: what holds where nobody sets it, what a Store or Product makes
// of it, and how people see it. A new field of the type is a row of Fields; TestFields fails by name
// without one.
type Field struct {
	// Name in spec.recovery.
	Name string
	// Default, Example and See (a heading of docs/policy.md) are for the documentation.
	Default, Example, See string
	// reset sets the default, in the policy's locale.
	reset func(*Policy)
	// override takes over what a Store or Product says, if it says something.
	override func(*Policy, *spec)
	// show tells what holds.
	show func(*Policy, *shown)
}

// Fields are those of RecoveryPolicy, in its order.
func Fields() []Field { return fields }

var fields = []Field{
	{
		Name: "sequences", Default: "`AbandonedCart`: `first` after 15m", Example: "above", See: "Sequences",
		reset: func(p *Policy) {
			p.Sequences = []v1alpha1.Sequence{{
				Trigger: v1alpha1.TriggerAbandonedCart,
				Steps: []v1alpha1.Step{{Name: DefaultStepName,
					After: v1alpha1.Duration{Duration: DefaultFirstDelay}}},
			}}
		},
		override: func(p *Policy, by *spec) { setList(&p.Sequences, by.Sequences) },
		show:     func(p *Policy, to *shown) { to.Sequences = p.describeSequences() },
	},
	{
		Name: "quietHours", Example: `{start: "21:00", end: "08:00", days: [Fri, Sat], spread: 1h}`, See: "Quiet hours",
		override: func(p *Policy, by *spec) { setPointer(&p.QuietHours, by.QuietHours) },
		show:     func(p *Policy, to *shown) { to.QuietHours = clip.Marked(p.describeQuiet(), maxLineText) },
	},
	duration("cooldown", DefaultCooldown, "72h", "Cooldown and cycles",
		func(p *Policy) *time.Duration { return &p.Cooldown },
		func(by *spec) *v1alpha1.Duration { return by.Cooldown },
		func(to *shown) *string { return &to.Cooldown }),
	count("maxUnanswered", DefaultMaxUnanswered, "2", "",
		func(p *Policy) *int { return &p.MaxUnanswered },
		func(by *spec) *int32 { return by.MaxUnanswered },
		func(p *Policy, to *shown) {
			to.MaxUnanswered = int32(min(p.MaxUnanswered, 20))
		}),
	count("maxAnswersPerHour", DefaultMaxAnswersPerHour, "10", "What a customer may cost",
		func(p *Policy) *int { return &p.MaxAnswersPerHour },
		func(by *spec) *int32 { return by.MaxAnswersPerHour }, showAnswers),
	count("maxAnswersPerDay", DefaultMaxAnswersPerDay, "100", "What a customer may cost",
		func(p *Policy) *int { return &p.MaxAnswersPerDay },
		func(by *spec) *int32 { return by.MaxAnswersPerDay }, showAnswers),
	duration("replyDebounce", DefaultReplyDebounce, "10s", "",
		func(p *Policy) *time.Duration { return &p.ReplyDebounce },
		func(by *spec) *v1alpha1.Duration { return by.ReplyDebounce },
		func(to *shown) *string { return &to.ReplyDebounce }),
	duration("expireAfter", DefaultExpireAfter, "48h", "",
		func(p *Policy) *time.Duration { return &p.ExpireAfter },
		func(by *spec) *v1alpha1.Duration { return by.ExpireAfter },
		func(to *shown) *string { return &to.ExpireAfter }),
	ttl("ttlAfterFinished", DefaultTTLAfterFinished, "2160h", "Endings, and how long leads are kept",
		func(p *Policy) *time.Duration { return &p.TTLAfterFinished },
		func(by *spec) *v1alpha1.Duration { return by.TTLAfterFinished }),
	ttl("ttlAfterPurchaseOnly", DefaultTTLAfterPurchaseOnly, "96h", "",
		func(p *Policy) *time.Duration { return &p.TTLAfterPurchaseOnly },
		func(by *spec) *v1alpha1.Duration { return by.TTLAfterPurchaseOnly }),
	{
		Name: "ttlByPhase", Example: "{recovered: 2160h, expired: 24h}",
		override: func(p *Policy, by *spec) {
			if by.TTLByPhase != nil {
				p.overrideTTL(by.TTLByPhase)
			}
		},
		show: showTTL,
	},
	word("killSwitchScope", v1alpha1.KillSwitchCustomer, "`Product`", "The kill switch",
		func(p *Policy) *v1alpha1.KillSwitchScope { return &p.KillSwitchScope },
		func(by *spec) v1alpha1.KillSwitchScope { return by.KillSwitchScope },
		func(to *shown) *string { return &to.KillSwitchScope }),
	list("optOutKeywords", `[fora, "deixa pra lá"]`, "Opt-out",
		func(p *Policy) *[]string { return &p.OptOutKeywords }, func(by *spec) []string { return by.OptOutKeywords },
		func(p *Policy, to *shown) { to.OptOutKeywords = clipAll(p.OptOutKeywords, maxKeywords, maxKeyword) }),
	{
		Name: "optOutConfirmation", Default: "a sentence in the locale's language",
		Example: `"Pronto, {{.Customer.FirstName}}.", "" for none`, See: "Opt-out",
		reset: func(p *Policy) { p.OptOutConfirmation = defaultConfirmation(p.Locale) },
		override: func(p *Policy, by *spec) {
			if by.OptOutConfirmation != nil {
				p.OptOutConfirmation = *by.OptOutConfirmation
			}
		},
		show: showTexts,
	},
	list("handOffKeywords", "[gerente]", "A person takes over",
		func(p *Policy) *[]string { return &p.HandOffKeywords }, func(by *spec) []string { return by.HandOffKeywords },
		func(p *Policy, to *shown) { to.HandOffKeywords = clipAll(p.HandOffKeywords, maxKeywords, maxKeyword) }),
	template("handOffText", `"Já chamo alguém da equipe!"`, "A person takes over",
		func(p *Policy) *string { return &p.HandOffText }, func(by *spec) string { return by.HandOffText }),
	word("lateReplies", v1alpha1.LateRepliesAnswer, "`HandOff`, `Ignore`", "Early and late messages",
		func(p *Policy) *v1alpha1.LateReplies { return &p.LateReplies },
		func(by *spec) v1alpha1.LateReplies { return by.LateReplies },
		func(to *shown) *string { return &to.LateReplies }),
	duration("claimsPaidAfter", DefaultClaimsPaidAfter, "24h", "I have paid already",
		func(p *Policy) *time.Duration { return &p.ClaimsPaidAfter },
		func(by *spec) *v1alpha1.Duration { return by.ClaimsPaidAfter },
		func(to *shown) *string { return &to.ClaimsPaidAfter }),
	{
		Name: "handOff", Example: "{resumeAfter: 24h}", See: "A person takes over",
		override: func(p *Policy, by *spec) {
			if by.HandOff != nil {
				setDuration(&p.HandOffResumeAfter, by.HandOff.ResumeAfter)
			}
		},
		show: func(p *Policy, to *shown) { to.HandOff = clip.Marked(p.describeHandOff(), maxHandOff) },
	},
	{
		Name: "firstMessageNotice", Default: "a sentence in the locale's language",
		Example: `"Aqui é {{.Store.Name}}. Para sair, responda PARAR.", "" for none`,
		See:     "The first message says who writes", reset: func(p *Policy) {
			p.FirstMessageNotice = DefaultFirstMessageNotice(p.Locale)
		},
		override: func(p *Policy, by *spec) {
			if by.FirstMessageNotice != nil {
				p.FirstMessageNotice = *by.FirstMessageNotice
			}
		},
		show: showTexts,
	},
	word("numberLost", v1alpha1.NumberLostWait, "`Move`", "A number is lost",
		func(p *Policy) *v1alpha1.NumberLost { return &p.NumberLost },
		func(by *spec) v1alpha1.NumberLost { return by.NumberLost },
		func(to *shown) *string { return &to.NumberLost }),
	template("fallbackText", "above", "Without the AI",
		func(p *Policy) *string { return &p.FallbackText }, func(by *spec) string { return by.FallbackText }),
	list("allowedLinkHosts", "[loja.example.com]", "",
		func(p *Policy) *[]string { return &p.AllowedLinkHosts }, func(by *spec) []string {
			return by.AllowedLinkHosts
		},
		func(p *Policy, to *shown) { to.AllowedLinkHosts = clipAll(p.AllowedLinkHosts, maxHosts, maxHost) }),
}

// duration is a field that is a time, shown by itself.
func duration(name string, standard time.Duration, example, see string, of func(*Policy) *time.Duration,
	said func(*spec) *v1alpha1.Duration, to func(*shown) *string) Field {
	return Field{
		Name: name, Default: short(standard), Example: example, See: see,
		reset:    func(p *Policy) { *of(p) = standard },
		override: func(p *Policy, by *spec) { setDuration(of(p), said(by)) },
		show:     func(p *Policy, e *shown) { *to(e) = short(*of(p)) },
	}
}

// ttl is a field that says how long leads are kept.
func ttl(name string, standard time.Duration, example, see string, of func(*Policy) *time.Duration,
	said func(*spec) *v1alpha1.Duration) Field {
	field := duration(name, standard, example, see, of, said, nil)
	field.show = showTTL
	return field
}

// count is a field that is a number.
func count(name string, standard int, example, see string, of func(*Policy) *int, said func(*spec) *int32,
	show func(*Policy, *shown)) Field {
	return Field{
		Name: name, Default: strconv.Itoa(standard), Example: example, See: see,
		reset:    func(p *Policy) { *of(p) = standard },
		override: func(p *Policy, by *spec) { setCount(of(p), said(by)) },
		show:     show,
	}
}

// word is a field with one of a few values.
func word[T ~string](name string, standard T, example, see string, of func(*Policy) *T, said func(*spec) T,
	to func(*shown) *string) Field {
	return Field{
		Name: name, Default: "`" + string(standard) + "`", Example: example, See: see,
		reset:    func(p *Policy) { *of(p) = standard },
		override: func(p *Policy, by *spec) { setText(of(p), said(by)) },
		show:     func(p *Policy, e *shown) { *to(e) = clip.Marked(string(*of(p)), maxShortText) },
	}
}

// list is a field with several texts. By default there are none.
func list(name, example, see string, of func(*Policy) *[]string, said func(*spec) []string,
	show func(*Policy, *shown)) Field {
	return Field{
		Name: name, Example: example, See: see,
		override: func(p *Policy, by *spec) { setList(of(p), said(by)) },
		show:     show,
	}
}

// template is a field with a text to send. By default there is none.
func template(name, example, see string, of func(*Policy) *string, said func(*spec) string) Field {
	return Field{
		Name: name, Example: example, See: see,
		override: func(p *Policy, by *spec) { setText(of(p), said(by)) },
		show:     showTexts,
	}
}

// The fields of EffectivePolicy that tell of several fields.
func showAnswers(p *Policy, to *shown) { to.Answers = clip.Marked(p.describeAnswers(), maxShortText) }
func showTTL(p *Policy, to *shown)     { to.TTL = clip.Marked(p.describeTTL(), maxLineText) }
func showTexts(p *Policy, to *shown)   { to.Texts = clip.Marked(p.describeTexts(), maxTexts) }
