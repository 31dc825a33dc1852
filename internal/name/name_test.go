package name

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// firstNames are names as they come in, and what to greet their owners by.
var firstNames = []struct{ full, want string }{
	{"Maria da Silva", "Maria"},
	{"MARIA DA SILVA", "Maria"},
	{"maria", "Maria"},
	{"mARIA", "Maria"},
	{"joão-pedro souza", "João-Pedro"},
	{"D'ANGELO", "D'Angelo"},
	{"McKenzie Brown", "McKenzie"},
	{"ÂNGELA MÜLLER", "Ângela"},
	{"Íris", "Íris"},
	{"  Ana\tPaula ", "Ana"},
	{"💖Maria💖", "Maria"},
	{"Maria😀 Souza", "Maria"},
	{"Silva, Maria", "Maria"},
	{"Maria da Silva, advogada", "Maria"},
	{"Silva, Dr.", "Silva"},
	{"maria.silva", "Maria"},
	{"Maria/João", "Maria"},
	{"王小明", "王小明"},
	{"Ли", "Ли"},
	{"Maria de Sá", "Maria"},
	{"Teresa", "Teresa"},
	{"Nilza", "Nilza"},
	{"Bárbara", "Bárbara"},

	// Titles, in three languages.
	{"Dr. João", "João"},
	{"dr joão souza", "João"},
	{"DRA. ANA", "Ana"},
	{"Dr.João", "João"},
	{"Sra Maria", "Maria"},
	{"Sr. Dr. Paulo Lima", "Paulo"},
	{"Sr(a). Paula", "Paula"},
	{"Sr./Sra. Paula", "Paula"},
	{"Profª Lúcia", "Lúcia"},
	{"Prof.ª Lúcia", "Lúcia"},
	{"Doña Carmen", "Carmen"},
	{"Don Julio", "Julio"},
	{"Mr. John Smith", "John"},
	{"Mrs Jane", "Jane"},
	{"Señora Pilar", "Pilar"},
	{"J. Pedro", "Pedro"},
	{"M Aparecida", "Aparecida"},
	{"Dr.", ""},
	{"Sr(a)", ""},
	{"Prof(a). ", ""},
	{"Enfª Rita", "Rita"},
	{"Frei Davi", "Davi"},
	{"Vereadora Rita", "Rita"},
	{"Irma Prado", "Irma"},
	{"Comprador(a)", ""},
	{"Administrador", ""},
	{"Prefiro não dizer", ""},
	{"Família Prado", ""},
	{"Transportes Prado", ""},
	{"Prado Advogados", ""},
	{"Rita Modas", ""},
	{"Sra", ""},
	{"J.", "J"},
	{"Dr. J.", "J"},

	// Who somebody is to somebody else.
	{"Maria, mãe do Pedro", "Maria"},
	{"Joana, pai de Luís", "Joana"},
	{"Rita, esposa do Caio", "Rita"},
	{"Ana, aluna", "Ana"},
	{"Ana, a filha", "Ana"},
	{"Lucía, mamá de Pablo", "Lucía"},
	{"Jane, mom of Tim", "Jane"},
	{"Souza, Ana", "Ana"},
	{"Souza, Ana Maria", "Ana"},
	{"Vó Maria", "Maria"},
	{"vovó Lúcia", "Lúcia"},
	{"Tia Ju", "Ju"},
	{"Tio João", "João"},
	{"Abuela Carmen", "Carmen"},
	{"Aunt May", "May"},
	{"Mamãe", ""},
	{"Irma Prado", "Irma"},
	{"Nora Lima", "Nora"},
	{"Paiva Neto", "Paiva"},

	// Titles that are something else within a name.
	{"Me. Carlos Alberto", "Carlos"},
	{"MC Daniel", "Daniel"},
	{"DJ Marlon", "Marlon"},
	{"Mc", "Mc"},
	{"Mª Clara", "Maria"},
	{"M.ª José", "Maria"},

	// Families' names alone, and initials.
	{"de Souza", ""},
	{"dos Santos", ""},
	{"Da Silva", ""},
	{"del Río", ""},
	{"van Dyke", ""},
	{"A. B. Costa", ""},
	{"A B Costa", ""},
	{"A. Costa", "Costa"},

	// Roles.
	{"Aluno 1", ""},
	{"Aluna Nova", ""},
	{"Usuario 3", ""},
	{"Admin Loja", ""},
	{"Student A", ""},
	{"Alunice Prado", "Alunice"},

	// Letters that were lost.
	{"Jo?o Silva", ""},
	{"Jo\ufffdo Silva", ""},
	{"Maria Concei??o", ""},

	// Placeholders.
	{"", ""},
	{" ", ""},
	{"null", ""},
	{"NULL NULL", ""},
	{"undefined", ""},
	{"undefined undefined", ""},
	{"None", ""},
	{"N/A", ""},
	{"não informado", ""},
	{"NAO INFORMADO", ""},
	{"Não Informado Ainda", ""},
	{"No informado", ""},
	{"sem nome", ""},
	{"Sin nombre", ""},
	{"unknown", ""},
	{"teste", ""},
	{"Test", ""},
	{"Teste Comprador", ""},
	{"cliente", ""},
	{"Cliente 123", ""},
	{"Nome do Cliente", ""},
	{"[object Object]", ""},
	{"{{name}}", ""},
	{"-", ""},
	{".", ""},
	{"...", ""},
	{"aaaa", ""},
	{"xxx", ""},
	{"12345", ""},
	{"11987654321", ""},
	{"Maria2", ""},
	{"ana@example.com", ""},
	{"Ana ana@example.com", ""},
	{"www.example.com", ""},
	{"https://example.com", ""},
	{"<script>", ""},

	// Companies.
	{"Empresa X Ltda", ""},
	{"EMPRESA X LTDA.", ""},
	{"Padaria do João", ""},
	{"Souza & Filhos Comércio", ""},
	{"Ana Lima ME", ""},
	{"Ana Lima - ME", ""},
	{"Ana Lima MEI", ""},
	{"Lima EIRELI", ""},
	{"Banco Lima S.A.", ""},
	{"Lima Alimentos S/A", ""},
	{"Acme LLC", ""},
	{"Acme, Inc.", ""},
	{"Lima S.R.L.", ""},
	{"Loja da Maria", ""},
	{"Maria Lima & Cia", ""},

	// What is not seen.
	{"\u202eanA", "Ana"},
	{"\u200bMaria\u200b Souza", "Maria"},
	{"\ufeffMARIA", "Maria"},
	{"Ma\u00adria", "Maria"},
	{"\u2066Maria\u2069", "Maria"},
	{"\u3164", ""},
	{"\u200b\u200b", ""},
	{"Maria\x00Souza", "Maria"},
	{"\xffMaria", "Maria"},
}

func TestFirst(t *testing.T) {
	for _, test := range firstNames {
		if got := First(test.full); got != test.want {
			t.Errorf("First(%q) = %q, want %q", test.full, got, test.want)
		}
	}
}

func TestKnown(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"Maria da Silva", "Maria da Silva"},
		{"MARIA DA SILVA", "MARIA DA SILVA"},
		{"Dr. João", "Dr. João"},
		{"Empresa X Ltda", "Empresa X Ltda"},
		{"  Ana   Lima ", "Ana Lima"},
		{"\u202eanA", "anA"},
		{"João 2º", "João 2º"},
		{"Não Informado", ""},
		{"null", ""},
		{"TESTE", ""},
		{"ana@example.com", ""},
		{"-", ""},
		{"123", ""},
		{"", ""},
	} {
		if got := Known(test.text); got != test.want {
			t.Errorf("Known(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

// FuzzFirst: a first name is one visible word of the name, and read again it stays.
func FuzzFirst(f *testing.F) {
	for _, full := range []string{"Dr. João", "\u202eanA", "Silva, Maria", "Empresa X Ltda", "null", "\xff", "ﬀ ŉ ǅ",
		"İSTANBUL", "J. Pedro"} {
		f.Add(full)
	}
	f.Fuzz(func(t *testing.T, full string) {
		known, first := Known(full), First(full)
		if !utf8.ValidString(known) || !utf8.ValidString(first) || strings.TrimSpace(known) != known {
			t.Fatalf("%q: %q, %q", full, known, first)
		}
		if strings.ContainsFunc(known+first, func(r rune) bool {
			return unicode.IsControl(r) ||
				unicode.Is(unicode.Cf, r)
		}) {
			t.Fatalf("invisible characters: %q, %q", known, first)
		}
		if strings.ContainsFunc(first, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsDigit(r) }) ||
			first != "" && known == "" {
			t.Fatalf("no word: %q of %q", first, known)
		}
		if again := Known(known); again != known {
			t.Fatalf("%q, then %q", known, again)
		}
	})
}

func BenchmarkKnown(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Known("Maria de Souza Conceição")
	}
}
