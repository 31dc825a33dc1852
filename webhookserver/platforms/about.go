package platforms

import (
	"cmp"
	"slices"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// About is what the documentation says of a platform besides its events. Texts are Markdown.
type About struct {
	// Name and Title are what machines and people call it. The registry fills them in, and Starts and TokenHeader.
	Name  v1alpha1.PlatformName
	Title string
	// Starts are the triggers that it tells, in words.
	Starts string
	// TokenHeader is the likeliest header of its token; "" where no header is known.
	TokenHeader string
	// Proof is what proves where a delivery comes from. Of a plain token the registry says it.
	Proof string
	// Keys are those of its secrets in the example of an entry; by default its name.
	Keys []string
	// Unconfirmed platforms document their webhooks in part or not at all.
	Unconfirmed bool
	// Setup says, in paragraphs, which secret it is and what is entered where.
	Setup []string
	// ProductID is the field that Products name it by.
	ProductID string
	// Notes are what to watch for.
	Notes []string
	// Zone, Amounts and Currency say how what a delivery leaves open is read.
	Zone, Amounts, Currency string
}

// Described returns what the documentation says of every platform.
func Described() []About {
	all := make([]About, 0, len(registry))
	for i := range registry {
		row := &registry[i]
		about := row.about
		about.Name, about.Title = row.name, row.title
		about.Starts = startsInWords(row.starts)
		about.Proof = cmp.Or(about.Proof, row.tokens.inWords())
		if len(row.tokens.headers) > 0 {
			about.TokenHeader = row.tokens.headers[0]
		}
		if about.Keys == nil {
			about.Keys = []string{string(row.name)}
		}
		all = append(all, about)
	}
	return all
}

func startsInWords(triggers []v1alpha1.Trigger) string {
	if slices.Equal(triggers, everyTrigger) {
		return "of every trigger"
	}
	words := make([]string, 0, len(triggers))
	for _, trigger := range triggers {
		words = append(words, string(trigger))
	}
	return strings.Join(words, ", ")
}

// inWords says where the token is.
func (t tokens) inWords() string {
	var places []string
	if len(t.headers) > 0 {
		places = append(places, "in one of the headers `"+strings.Join(t.headers, "`, `")+"`")
	}
	if len(t.fields) > 0 {
		places = append(places, "in the field `"+strings.Join(t.fields, "`, `")+"` of the body")
	}
	return "a token, " + strings.Join(places, ", or ")
}
