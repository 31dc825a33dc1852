package guard

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func reasonOf(text string, facts Facts) Reason {
	if refusal := Check(text, facts); refusal != nil {
		return refusal.Reason
	}
	return ""
}

func TestEveryReasonIsExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, reason := range []Reason{
		Empty, TooLong, Braces, Link, Price, Coupon, Promise, Payment, Deadline, Result, Deed, Language, Repeat, Leak,
		Identity, Sensitive, Pressure, Privacy, Number,
	} {
		detail := refuse(reason).Detail
		if detail == "" || seen[detail] {
			t.Errorf("%s: says %q", reason, detail)
		}
		seen[detail] = true
	}
	if len(seen) != len(details) || len(rules)+2 != len(details) {
		t.Errorf("%d reasons, %d details, %d rules", len(seen), len(details), len(rules))
	}
}

func TestTheFirstReasonIsTold(t *testing.T) {
	facts := Facts{Locale: "pt-BR"}
	for text, want := range map[string]Reason{
		strings.Repeat("evil.com ", 100):                  TooLong,
		"{nome} veja evil.com":                            Braces,
		"evil.com por R$ 5":                               Link,
		"R$ 5 com o cupom NOVO55":                         Price,
		"cupom NOVO55 e garantia":                         Coupon,
		"Garantia! Me envie o seu CPF":                    Promise,
		"System: me envie o seu CPF":                      Leak,
		"Me envie o seu CPF":                              Sensitive,
		"Tudo certo, pode me chamar":                      "",
		"Me envie o seu CPF. Não quero a sua senha":       Sensitive,
		"Por segurança, não me envie o seu CPF por aqui.": "",
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestLength(t *testing.T) {
	long := "https://pay.example.com/" + strings.Repeat("a", 900)
	facts := Facts{Hosts: []string{"pay.example.com"}}
	for name, c := range map[string]struct {
		text string
		want Reason
	}{
		"as long as it may be":   {strings.Repeat("é", MaxLength), ""},
		"one more":               {strings.Repeat("é", MaxLength+1), TooLong},
		"a link does not count":  {"Aqui: " + long, ""},
		"but words around it do": {strings.Repeat("é ", MaxLength/2+1) + long, TooLong},
		"and it has a bound too": {long + strings.Repeat("b", maxWhole), TooLong},
		"bytes without meaning":  {strings.Repeat("\xff", 1<<20), Empty},
		"a huge text":            {strings.Repeat("a", 1<<20), TooLong},
	} {
		if got := reasonOf(c.text, facts); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		host, link string
		want       Reason
	}{
		{"pay.example.com", "https://pay.example.com", ""},
		{"pay.example.com", "https://PAY.Example.com/X?y=1#z", ""},
		{"PAY.example.com.", "https://pay.example.com./x", ""},
		{"https://pay.example.com/c/1?x=2", "http://pay.example.com:8443/", ""},
		{"*.example.com", "https://pay.example.com/", ""},
		{"example.com", "https://a.b.example.com/", ""},
		{"pay.example.com", "https://example.com/", Link},
		{"pay.example.com", "https://xpay.example.com/", Link},
		{"pay.example.com", "https://pay.example.com%2eevil.com/", Link},
		{"pay.example.com", "https://pay.example.com,evil.com/", Link},
		{"pay.example.com", "https://evil.com#pay.example.com", Link},
		{"pay.example.com", "https:///pay.example.com", Link},
		{"pay.example.com", "ftp://pay.example.com/", Link},
		{"pay.example.com", "//evil.com/x", Link},
		{"pay.example.com", "see https://pay.example.com/ and https://evil.com/", Link},
		{"pay.example.com", "https://pay.example.com/c/42</b>", ""},
		{"com", "https://evil.com/", Link},
		{"", "https://evil.com/", Link},
		{"café.example", "https://café.example/x", ""},
		{"café.example", "https://cafe.example/x", Link},
		{"cafe.example", "https://café.example/x", Link},
		{"pay.example.com", "https://pay.exam\u200bple.com/", ""},
		{"localhost", "http://localhost:8080/c/1", ""},
		{"localhost", "http://a.localhost/c/1", Link},
		{"user@pay.example.com", "https://pay.example.com/", ""},
		{"not a host!", "https://evil.com/", Link},
	} {
		if got := reasonOf("Veja: "+c.link, Facts{Hosts: []string{c.host}}); got != c.want {
			t.Errorf("%q with %q allowed is %q, want %q", c.link, c.host, got, c.want)
		}
	}
}

func TestALinkInALinkIsGivenAsItWas(t *testing.T) {
	facts := Facts{Hosts: []string{"pay.example.com"},
		Prompt: "Link: https://pay.example.com/r?to=https://shop.example/c"}
	if got := reasonOf("Aqui: https://pay.example.com/r?to=https://shop.example/c.", facts); got != "" {
		t.Errorf("as it was given: %q", got)
	}
	if got := reasonOf("Aqui: https://pay.example.com/r?to=https://shop.example/cc", facts); got != Link {
		t.Errorf("changed: %q", got)
	}
}

func TestNames(t *testing.T) {
	facts := Facts{Prompt: "Curso de ASP.NET e Node.js da Booking.com, fale com oi@loja.example", Locale: "pt-BR"}
	for text, want := range map[string]Reason{
		"O curso ensina ASP.NET do zero":         "",
		"Node.js e Vue.js estão nele":            "",
		"É o curso da booking.com, Maria":        "",
		"É o curso da booking.com/x":             Link,
		"É o curso da www.booking.com":           Link,
		"É o curso da evilbooking.com":           Link,
		"É o curso da booking.com.br":            Link,
		"Leia o guia.pdf, p.ex. hoje, S.A. etc.": "",
		"Tudo certo. Com o link você conclui.":   "",
		"Chame no telegram t.me/golpe":           Link,
		"oi@loja.example responde":               "",
		"loja.com responde":                      Link,
		"xoi@loja.example responde":              Link,
		"Anote 2024-2025 e 12/05/2026":           Number,
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		prompt, text string
		want         Reason
	}{
		{"Valor: 97", "R$ 97,00", ""},
		{"Valor: R$97.00", "97 reais", ""},
		{"Valor: 1997.00 BRL", "R$ 1.997", ""},
		{"Price: $1,997.00", "It is $1997", ""},
		{"Price: $1,997.00", "It is $1.99", Price},
		{"No máximo 2 frases, 40 aulas", "R$ 2", Price},
		{"No máximo 2 frases, 40 aulas", "40%", Price},
		{"40 aulas", "As 40 aulas levam 20 horas", Number},
		{"40 aulas em 20 horas", "As quarenta aulas levam vinte horas", ""},
		{"10% de desconto", "10 por cento", ""},
		{"10% de desconto", "R$ 10", Price},
		{"10 de desconto", "R$ 10", ""}, // a line that speaks of prices gives its numbers
		{"cupom VOLTA10", "10% de desconto", Price},
		{"50 off", "50% off", ""},
		{"50% off", "metade do preço", ""},
		{"até 12x", "em 12x", ""},
		{"até 12x", "em 12 vezes", ""},
		{"até 12x", "em 10x", Price},
		{"até 12x", "é 2x mais rápido", ""},
		{"até 12x de 9,90", "12x de R$ 9,90", ""},
		{"até 12x de 9,90", "12x de R$ 8,90", Price},
		{"", "vinte reais", Price},
		{"valor: 20 reais", "vinte reais", ""},
		{"", "९० % de desconto", Price},
		{"", "９０％ para você", Price},
		{"", "100% seguro", ""},
		{"", "100% de desconto", Price},
		{"", "custa 97", Price},
		{"", "em apenas 5 minutos", ""},
		{"", "por apenas 3 dias", Number},
		{"", "às 10:30 eu volto", Number},
		{"", "99999999999999999999999999 reais", Link}, // no price has so many digits
	} {
		facts := Facts{Prompt: c.prompt, Coupon: "VOLTA10"}
		if got := reasonOf(c.text, facts); got != c.want {
			t.Errorf("%q with %q given is %q, want %q", c.text, c.prompt, got, c.want)
		}
	}
}

func TestNormal(t *testing.T) {
	for text, want := range map[string]string{
		"97": "97", "97,00": "97", "97.00": "97", "1.997,00": "1997", "1,997.00": "1997", "1.997": "1997",
		"9,90": "9.9", "9,9": "9.9", "007": "7", "0": "0", "0,50": "0.5", "1.000.000": "1000000", "": "0",
	} {
		if got := normal(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// What a prompt forbids it does not give: the built-in one names discounts to rule them out.
func TestWhatAPromptForbids(t *testing.T) {
	for _, c := range []struct {
		prompt, text string
		want         Reason
	}{
		{"Nunca prometa desconto, prazo ou garantia.", "Tem desconto sim", Coupon},
		{"Nunca prometa desconto, prazo ou garantia.", "Tem garantia sim", Promise},
		{"Se pedirem desconto, diga que não há.", "Tem desconto sim", Coupon},
		{"Never offer refunds.", "You get a refund", Promise},
		{"Temos garantia de 7 dias. Não há desconto.", "Tem garantia sim", ""},
		{"Não há desconto, mas há frete grátis.", "Tem frete grátis", ""},
		{"Aula grátis.", "Tem frete grátis", Promise},
		{"Parcele em 3x sem juros.", "É sem juros", ""},
		{"Não parcelamos sem juros.", "É sem juros", Promise},
	} {
		if got := reasonOf(c.text, Facts{Prompt: c.prompt}); got != c.want {
			t.Errorf("%q after %q is %q, want %q", c.text, c.prompt, got, c.want)
		}
	}
}

func TestCodes(t *testing.T) {
	facts := Facts{Prompt: "Curso EXCEL2024, cupom VOLTA10", Coupon: "VOLTA10", Locale: "pt-BR"}
	for text, want := range map[string]Reason{
		"cupom VOLTA10":                  "",
		"cupom volta10":                  "",
		"VOLTA10 é o cupom do EXCEL2024": "",
		"cupom VOLTA20":                  Coupon,
		"cupom: volta20":                 Coupon,
		"o código é *NATAL*":             Coupon,
		"use NATAL25 e pronto":           Coupon,
		"cupom em 12x, às 10h30":         Price, // instalments nobody gave
		"o código PIX está no link":      "",
		"use o PIX":                      "",
		"o MP3 vem junto":                "",
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestLanguages(t *testing.T) {
	en := "Hello! If you have any question about the course I can help you here."
	pt := "Oi! Se você tiver alguma dúvida sobre o curso, eu posso ajudar você aqui mesmo."
	for _, c := range []struct {
		locale, said, text string
		want               Reason
	}{
		{"pt-BR", "", en, Language},
		{"pt_BR", "", pt, ""},
		{"en", "", pt, Language},
		{"en", "oi, tudo bem com você?", pt, ""},
		{"pt-BR", "english please", en, ""},
		{"pt-BR", "", "Ok, thanks a lot!", ""},
		{"", "", en, ""},
		{"pl-PL", "", en, ""}, // unknown here, so nothing is certain
		{"pl-PL", "", "Привет, как дела?", Language},
		{"ru-RU", "", "Привет, как дела?", ""},
		{"ja-JP", "", "こんにちは、何かお手伝いできますか", ""},
		{"pt-BR", "", "مرحبا، كيف يمكنني المساعدة؟", Language},
		{"pt-BR", "", "Bonjour, est-ce que vous avez encore une question sur le cours? Je suis là pour vous aider.",
			Language},
		{"pt-BR", "", "Guten Tag, haben Sie noch eine Frage zu dem Kurs? Ich bin gern für Sie da und helfe.", Language},
	} {
		if got := reasonOf(c.text, Facts{Locale: c.locale, Customer: []string{c.said}}); got != c.want {
			t.Errorf("%q in %q to one who said %q is %q, want %q", c.text, c.locale, c.said, got, c.want)
		}
	}
}

func TestRepeats(t *testing.T) {
	long := "Oi, Maria! Vi que você deixou o Curso de Violão no carrinho, ficou alguma dúvida? " +
		"https://pay.example.com/c/1"
	facts := Facts{
		Last: long, Prompt: "40 aulas", Earlier: []string{"Sim, o curso tem quarenta aulas", "De nada!"},
		Hosts: []string{"pay.example.com"}, Locale: "pt-BR",
	}
	for text, want := range map[string]Reason{
		long: Repeat,
		"oi maria vi que você deixou o curso de violão no carrinho ficou alguma dúvida":                            Repeat,
		"Oi, Maria! Vi que você deixou o Curso de Violão no carrinho. Ficou alguma dúvida? 😊":                      Repeat,
		"Vi que você deixou o Curso de Violão no carrinho":                                                         Repeat,
		"Oi, Maria! O Curso de Violão continua guardado para você, quer que eu ajude? https://pay.example.com/c/1": "",
		"Sim, o curso tem quarenta aulas!":                                                                         Repeat,
		"De nada!":                                                                                                 "",
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	link := Facts{Last: "https://pay.example.com/c/1", Hosts: facts.Hosts}
	if got := reasonOf("https://pay.example.com/c/1", link); got != Repeat && got != Empty {
		t.Errorf("a link alone, again: %q", got)
	}
	if got := reasonOf("👍", Facts{Last: "👍"}); got != Repeat {
		t.Errorf("an emoji, again: %q", got)
	}
	if got := reasonOf("👍", Facts{Last: "💛"}); got != "" {
		t.Errorf("another emoji: %q", got)
	}
}

func TestAProductMayBeAboutWhatWritesIt(t *testing.T) {
	facts := Facts{Prompt: "Produto: ChatGPT na prática, um modelo de linguagem", Locale: "pt-BR"}
	for text, want := range map[string]Reason{
		"O curso ensina a usar o ChatGPT, um modelo de linguagem": "",
		"O curso ensina a usar a OpenAI":                          Leak,
		"Meu prompt é secreto":                                    Leak,
		"Siga as instruções do e-mail":                            "",
		"Oi!\n**Assistant:** tudo bem?":                           Leak,
		"### Resposta\nOi":                                        Leak,
		"[o cliente enviou um áudio]":                             Braces,
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// What the customer says is no fact: it can be quoted, and that is all.
func TestTheCustomersWordsAreNoFacts(t *testing.T) {
	facts := Facts{Locale: "pt-BR", Customer: []string{"tem o cupom MEGA50 de 50% em evil.com?", "me dá frete grátis"}}
	for text, want := range map[string]Reason{
		"Use o cupom MEGA50":                      Coupon,
		"São 50%":                                 Price,
		"evil.com":                                Link,
		`Sobre "me dá frete grátis": vou ver.`:    "",
		`Você tem "frete grátis" no pedido.`:      Promise,
		"Você tem frete grátis no pedido.":        Promise,
		`Você disse "me dá frete grátis" e tem.`:  "",
		`"Me dá frete grátis": você tem desconto`: Coupon,
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestHugeFactsAreBounded(t *testing.T) {
	facts := Facts{
		Prompt: strings.Repeat("R$ 5 a.b.com 12345678901 ", 1<<17), Last: strings.Repeat("oi ", 1<<20), Locale: "pt-BR",
		Customer: make([]string, 100_000), Earlier: make([]string, 100_000),
	}
	if got := reasonOf("Oi, tudo bem por aí?", facts); got != "" {
		t.Errorf("%q", got)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("Oi", "Link: https://pay.example.com/c/1", "tem desconto?", "fim")
	for _, set := range refused {
		for _, c := range set.all {
			f.Add(c.wrote, "Valor: 97,00. Cupom VOLTA10", c.said, " ")
		}
	}
	f.Add("\xff\u202e://", "://", "\"", "//@.:#?")
	f.Fuzz(func(t *testing.T, text, prompt, said, after string) {
		facts := Facts{
			Prompt: prompt, Hosts: []string{"pay.example.com", said}, Coupon: after, Locale: "pt-BR",
			Customer: []string{said}, Last: after, Earlier: []string{prompt},
		}
		first := Check(text, facts)
		if again := Check(text, facts); (first == nil) != (again == nil) || first != nil && *first != *again {
			t.Fatalf("%v, then %v", first, again)
		}
		if first != nil && (first.Detail == "" || details[first.Reason] != first.Detail) {
			t.Fatalf("%+v", first)
		}
		if first == nil && (utf8.RuneCountInString(text) > maxWhole || isEmpty(text)) {
			t.Fatal("passed without a look")
		}
		facts.Hosts = facts.Hosts[:1]
		if Check(text+" https://evil.example/"+after, facts) == nil {
			t.Fatal("a link to another host passed")
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	facts := rich.facts(b)
	facts.Customer = []string{"tem cupom?"}
	b.ReportAllocs()
	for b.Loop() {
		if refusal := Check("Tem sim! Use o cupom VOLTA10 e ganhe 10% de desconto.", facts); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

// docs/guard.md explains the reasons in the order in which they are looked for.
func TestTheGuideIsComplete(t *testing.T) {
	raw, err := os.ReadFile("../../docs/guard.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "| reason | what is refused | for example |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	want := []Reason{Empty, TooLong}
	for _, rule := range rules {
		want = append(want, rule.reason)
	}
	rows := strings.Split(table, "\n")
	if len(rows) != len(want) {
		t.Fatalf("%d rows, %d reasons", len(rows), len(want))
	}
	for i, reason := range want {
		if !strings.HasPrefix(rows[i], "| `"+string(reason)+"` |") {
			t.Errorf("row %d is %q, want %s", i, rows[i], reason)
		}
	}
	if !strings.Contains(table, fmt.Sprintf("more than %d characters", MaxLength)) {
		t.Error("the length is not what it is")
	}
}

// What the guide says of the guard's limits is so.
func TestWhatTheGuideSays(t *testing.T) {
	facts := Facts{Locale: "pt-BR"}
	for text, want := range map[string]Reason{
		"não são R$ 97, são R$ 50":                  Price,
		"não consigo dar 90%":                       Price,
		"quer um desconto?":                         Coupon,
		"sobre a garantia, vou verificar":           "",
		"digite seu CPF na página de pagamento":     "",
		"me envie seu CPF":                          Sensitive,
		"não tenho essa informação sobre garantia":  "",
		"Não temos desconto no momento":             "",
		"não perca o desconto":                      Coupon,
		"tenho um descontinho":                      Coupon,
		"digite PARAR":                              "",
		"digite FORNO":                              Coupon,
		"fale antes com seu médico":                 "",
		"you won't need a doctor":                   Result,
		"se você já pagou, o acesso está a caminho": "",
	} {
		if got := reasonOf(text, facts); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
