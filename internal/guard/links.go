package guard

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/clip"
)

var (
	hostName  = regexp.MustCompile(`^[\p{L}\p{N}.-]+$`)
	otherLink = regexp.MustCompile(
		`\b(?:https?|mailto|tel|sms|whatsapp|tg|javascript|intent|ftp|callto|skype|market):[\p{L}\p{N}/+@(]|//[\p{L}\p{N}]`)
	address   = regexp.MustCompile(`[\p{L}\p{N}._%+-]+ ?@ ?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`)
	profile   = regexp.MustCompile(`(?:^|[^\p{L}\p{N}@])(@[\p{L}\p{N}_][\p{L}\p{N}_.]{2,})`)
	numbers   = regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`)
	domain    = regexp.MustCompile(`[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+`)
	phone     = regexp.MustCompile(`\+?\(?\d[\d ().–-]{6,}\d`)
	shortCall = regexp.MustCompile(`^\d{4,5}[-. ]\d{4}$`)
	years     = regexp.MustCompile(`^(?:19|20)\d\d\D(?:19|20)\d\d$`)

	bracketDot = regexp.MustCompile(`\s*[\[(<]\s*(?:\.|dot|ponto|punto)\s*[\])>]\s*`)
	spacedDot  = regexp.MustCompile(`([\p{L}\p{N}])\s+\.\s*([\p{L}\p{N}])`)
	splitPath  = regexp.MustCompile(`\.\s+((?:com|net|org|br|io|me|link)/\S)`)
	spelledDot = regexp.MustCompile(
		`[\p{L}\p{N}]\s+(?:dot|ponto|punto)\s+(?:(?:net|org|br|io|link|site|info|app|store|shop)\b|com(?:\s+(?:ponto|punto|dot|barra|slash)\b|\s*[/,!?;.]|\s*$))`)
)

// leastSpelled is how many digits in words are a number to call.
const leastSpelled = 7

// endings are the top-level domains that make a bare name a link: those of countries,
// and the general ones that are in use. A name with another one counts with www. or a path.
var endings = set(
	`com net org edu gov mil int biz info name pro app dev shop store site online xyz top club link live blog page tech
	space website digital cloud click vip fun world today news agency company email group help life media money network one
	plus services social solutions studio support systems team tips tools training video wiki work zone art bio cash chat
	city codes coffee design direct education events expert express finance fit global gold guru host house icu land law
	deals discount coupons bargains cheap exchange academy courses cards center cool fan fyi gifts gratis ink lat lol monster bond sbs cyou
	rest pics quest wtf zip mov dad tax toys tires vin watch wiki yoga zone tienda ltda group photo photos pizza place plus pub red report
	market marketing promo sale rocks run school science security software win win loan download review stream bet bid men
	ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch
	ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm
	gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la
	lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np
	nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su
	sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw`)

// shortEndings are those under which even a name of one letter or of digits is a link:
// t.me, 1688.com. Under the others it is an abbreviation: S.A., p.ex.
var shortEndings = set("com net org me co ai io ly gg tv cc gl gd link app")

// cleanHosts are the hosts of an allow-list in lower case, taken out of URLs.
func cleanHosts(hosts []string) []string {
	clean := make([]string, 0, len(hosts))
	for _, host := range hosts {
		host = strings.ToLower(strings.TrimSpace(readable(clip.Bytes(host, maxMessage))))
		if _, rest, ok := strings.Cut(host, "://"); ok {
			host = rest
		}
		if end := strings.IndexAny(host, "/?#\\"); end >= 0 {
			host = host[:end]
		}
		host = host[strings.LastIndexByte(host, '@')+1:]
		host, _, _ = strings.Cut(host, ":")
		host = strings.Trim(strings.TrimPrefix(host, "*"), ".")
		if host != "" && hostName.MatchString(host) {
			clean = append(clean, host)
		}
	}
	return clean
}

// allowed says whether a host, in lower case, is one of hosts or below it. A host without a
// dot has nothing below it: "com" on an allow-list must not allow the internet. Names in other
// scripts are compared as they are written, so one that only looks alike is another.
func allowed(host string, hosts []string) bool {
	host = strings.TrimSuffix(host, ".")
	for _, known := range hosts {
		if host == known || strings.Contains(known, ".") && strings.HasSuffix(host, "."+known) {
			return true
		}
	}
	return false
}

// nextLink finds the next thing with a scheme and returns where it begins and ends.
func nextLink(text string, from int) (start, end int, found bool) {
	at := strings.Index(text[from:], "://")
	if at < 0 {
		return 0, 0, false
	}
	start = from + at
	end = start + len("://")
	for start > from && schemeByte(text[start-1]) {
		start--
	}
	if stop := strings.IndexFunc(text[end:], endsLink); stop >= 0 {
		end += stop
	} else {
		end = len(text)
	}
	for end > start {
		last, size := utf8.DecodeLastRuneInString(text[start:end])
		if !strings.ContainsRune(".,;:!?)]}'*_~", last) {
			break
		}
		end -= size
	}
	return start, max(end, from+at+len("://")), true
}

func schemeByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '+' || b == '.' || b == '-'
}

func endsLink(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"“”«»", r) }

// linksOf are the links of the prompt, in lower case.
func linksOf(prompt string) map[string]bool {
	links := map[string]bool{}
	for from := 0; ; {
		start, end, found := nextLink(prompt, from)
		if !found {
			return links
		}
		links[strings.ToLower(prompt[start:end])] = true
		from = end
	}
}

// withoutLinks takes the links that may be given out of a text; foreign is true when there
// is one that may not.
func withoutLinks(text string, hosts []string, given map[string]bool) (rest string, foreign bool) {
	var kept strings.Builder
	from := 0
	for {
		start, end, found := nextLink(text, from)
		if !found {
			kept.WriteString(text[from:])
			return kept.String(), false
		}
		if !mayLink(strings.ToLower(text[start:end]), hosts, given) {
			return text, true
		}
		kept.WriteString(text[from:start])
		kept.WriteByte(' ')
		from = end
	}
}

// mayLink judges one link, in lower case. A link inside a link (a redirect) may only be
// given as the store gave it.
func mayLink(link string, hosts []string, given map[string]bool) bool {
	parsed, err := url.Parse(link)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.User != nil ||
		strings.Contains(link, `\`) {
		return false
	}
	host := parsed.Hostname()
	if !hostName.MatchString(host) || !allowed(host, hosts) {
		return false
	}
	_, after, _ := strings.Cut(link, "://")
	path := strings.TrimPrefix(after, parsed.Host)
	nested := strings.Contains(path, "//") || strings.Contains(path, "%2f%2f") || strings.Contains(path, "www.")
	return !nested || given[link]
}

// hasLink looks for whatever a customer could follow and was not given.
func (s *subject) hasLink() bool {
	if s.foreign {
		return true
	}
	text, prompt := strings.ToLower(s.text), strings.ToLower(s.prompt)
	if otherLink.MatchString(text) || spelledDot.MatchString(text) {
		return true
	}
	text = bracketDot.ReplaceAllString(text, ".")
	for range 2 { // names of one letter share it
		text = spacedDot.ReplaceAllString(text, "$1.$2")
	}
	text = splitPath.ReplaceAllString(text, ".$1")
	for _, found := range address.FindAllString(text, -1) {
		if !holdsWord(prompt, strings.ReplaceAll(found, " ", "")) {
			return true
		}
	}
	text = address.ReplaceAllString(text, " ")
	for _, found := range profile.FindAllStringSubmatch(text, -1) {
		if !holdsWord(prompt, strings.TrimRight(found[1], ".")) {
			return true
		}
	}
	for _, found := range numbers.FindAllString(text, -1) {
		if !holdsWord(prompt, found) {
			return true
		}
	}
	return s.hasDomain(text, prompt) || hasPhone(text, prompt) || spellsNumber(spoken(s.folded)) || s.sendsElsewhere()
}

// hasDomain looks for links without a scheme. A bare name that the prompt contains is a
// name: "ASP.NET", "Booking.com".
func (s *subject) hasDomain(text, prompt string) bool {
	for _, at := range domain.FindAllStringIndex(text, -1) {
		name, after := text[at[0]:at[1]], text[at[1]:]
		path := strings.HasPrefix(after, "/") && len(after) > 1 && after[1] != ' '
		if !isDomain(name, path) || allowed(name, s.hosts) {
			continue
		}
		if path || strings.HasPrefix(name, "www.") || !holdsWord(prompt, name) {
			return true
		}
	}
	return false
}

func isDomain(name string, path bool) bool {
	labels := strings.Split(name, ".")
	ending, before := labels[len(labels)-1], labels[len(labels)-2]
	if strings.HasPrefix(name, "www.") || strings.Contains(name, "xn--") {
		return true
	}
	if strings.ContainsFunc(ending, func(r rune) bool { return !unicode.IsLetter(r) }) ||
		utf8.RuneCountInString(ending) < 2 {
		return false
	}
	if path {
		return true
	}
	named := utf8.RuneCountInString(before) > 1 && strings.ContainsFunc(before, unicode.IsLetter)
	return endings[ending] && (named || shortEndings[ending])
}

// holdsWord says whether a text holds something that is no part of a longer name.
func holdsWord(text, word string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 || word == "" {
			return false
		}
		start, end := from+at, from+at+len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, size := utf8.DecodeRuneInString(text[end:])
		beyond, _ := utf8.DecodeRuneInString(text[end+size:])
		longer := namePart(after) || after == '@' || after == '.' && namePart(beyond)
		if !namePart(before) && before != '.' && before != '@' && before != '/' && !longer {
			return true
		}
		from = end
	}
}

func namePart(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_')
}

// hasPhone looks for phone numbers, and for other long numbers, which a chat has no use for.
func hasPhone(text, prompt string) bool {
	var given []string
	for _, found := range phone.FindAllString(text, -1) {
		count := digits(found)
		short := shortCall.MatchString(strings.Trim(found, "() ")) && !years.MatchString(found)
		if len(count) < 10 && !short {
			continue
		}
		if given == nil {
			for _, known := range phone.FindAllString(prompt, -1) {
				given = append(given, digits(known))
			}
		}
		if !givenPhone(count, given) {
			return true
		}
	}
	return false
}

// spellsNumber says whether so many digits follow each other in words that they are a
// phone number.
func spellsNumber(words []string) bool {
	run := 0
	for _, word := range words {
		value, known := numerals[word]
		if ones[word] || word == "meia" || word == "oh" {
			value, known = 1, true
		}
		if !known || value < 0 || value > 9 {
			run = 0
			continue
		}
		if run++; run == leastSpelled {
			return true
		}
	}
	return false
}

// givenPhone compares numbers with and without country and area code.
func givenPhone(number string, given []string) bool {
	for _, known := range given {
		if len(known) >= 8 && (strings.HasSuffix(known, number) || strings.HasSuffix(number, known)) {
			return true
		}
	}
	return false
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}
