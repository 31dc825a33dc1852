package guard

// measure is what a number counts. A number of the facts allows the same number of the same
// measure: "40 aulas" does not allow "40%", nor "12x" twelve months.
type measure int

const (
	// unnamed is a number that nothing is said of.
	unnamed measure = iota
	// counted are things.
	counted
	// price is money of a currency.
	price
	// share is a percentage.
	share
	// payments are instalments.
	payments
	// lasting is a duration.
	lasting
	// clockTime is a time of day.
	clockTime
	// calendar is a day of a month.
	calendar
	// exempt is what may be said without having been given: "em 2 cliques".
	exempt
)

// unit is what a word behind a number makes of it.
type unit struct {
	measure measure
	// name tells the currencies and the things apart.
	name string
	// times turns durations into days, or into months.
	times float64
}

var unitsKnown = unitWords(map[unit]string{
	{price, "BRL", 0}:  "real reais brl conto contos pila pilas mango mangos pau paus r$",
	{price, "PESO", 0}: "peso pesos mxn ars clp cop mx$",
	{price, "USD", 0}:  "dolar dolares dollar dollars usd us$ u$ buck bucks",
	{price, "EUR", 0}:  "euro euros eur €",
	{price, "GBP", 0}:  "libra libras pound pounds quid gbp £",
	{price, "SOL", 0}:  "sol soles pen",
	{price, "YEN", 0}:  "yen iene ienes ¥",
	{price, "COIN", 0}: "btc bitcoin bitcoins eth ether ethereum usdt usdc satoshi satoshis sats ₿",
	{price, "$", 0}:    "$",
	{share, "", 0}:     "% porcento pct percent",
	{share, "off", 0}:  "off desconto descuento discount cashback",
	{payments, "",
		0}: "x parcela parcelas cuota cuotas instalment instalments installment installments prestacao prestacoes " +
		"mensualidad mensualidades mensalidade mensalidades payment payments pagamento pagamentos pago pagos",
	{lasting, "day", 1. / 86400}: "segundo segundos segundinhos second seconds sec secs seg",
	{lasting, "day", 1. / 1440}:  "minuto minutos minutinho minutinhos minutito minutitos minute minutes min mins",
	{lasting, "day", 1. / 24}:    "hora horas horinhas hour hours hr hrs h hs",
	{lasting, "day", 1}:          "dia dias diazinhos day days d",
	{lasting, "day", 7}:          "semana semanas week weeks",
	{lasting, "day", 15}:         "quinzena quinzenas quincena quincenas",
	{lasting, "day", 14}:         "fortnight fortnights",
	{lasting, "month", 1}:        "mes meses month months",
	{lasting, "month", 3}:        "trimestre trimestres",
	{lasting, "month", 6}:        "semestre semestres",
	{lasting, "month", 12}:       "ano anos aninhos year years yr yrs",
	{lasting, "month", 120}:      "decada decadas decade decades",
	{counted, "lesson",
		0}: "aula aulas videoaula videoaulas clase clases leccion lecciones licao licoes lesson lessons class classes " +
		"video videos encontro encontros",
	{counted, "module", 0}: "modulo modulos module modules",
	{counted, "person",
		0}: "aluno alunos aluna alunas alumno alumnos alumna alumnas estudante estudantes estudiante estudiantes " +
		"student " +
		"students pessoa pessoas persona personas people person cliente clientes customer customers membro membros " +
		"members",
	{counted, "place",
		0}: "vaga vagas lugar lugares cupo cupos plaza plazas spot spots seat seats place places unidade unidades " +
		"unit units",
	{counted, "page", 0}: "pagina paginas page pages",
	{exempt, "",
		0}: "clique cliques clic clics click clicks passo passos passinhos paso pasos step steps frase frases " +
		"sentence sentences " +
		"opcao opcoes opcion opciones option options forma formas jeito jeitos maneira maneiras manera maneras way " +
		"ways toque toques tap taps " +
		"palavra palavras palabra palabras word words duvida duvidas pergunta perguntas question questions coisa " +
		"coisas cosa cosas thing things",
})

func unitWords(lists map[unit]string) map[string]unit {
	all := map[string]unit{}
	for one, list := range lists {
		for word := range set(list) {
			all[word] = one
		}
	}
	return all
}

var (
	// prefixes are written before the number they belong to.
	prefixes = set("r$ us$ u$ mx$ $ € £ ¥ ₿ usd brl eur mxn ars clp cop gbp btc")
	// payingInto makes "vezes" instalments: "em dez vezes", "dividimos em 18 vezes".
	payingInto = set(
		"em en ate hasta in por dividir divide dividimos dividido parcela parcelar parcelo parcelamos fraciona " +
			"split over")
	timesWords = set("vez vezes veces times")
	// clockBefore stand before a time of day.
	clockBefore = set("as las at from until ate hasta entre between das by to till by")
	// dayBefore stand before a day of a month.
	dayBefore = set("dia day")
	// soonBefore make a few minutes a deadline: "nos próximos 10 minutos".
	soonBefore = set(
		"proximos proximas proximo next mais more otros outros daqui dentro within por ultimos last restam faltam " +
			"quedan")
	// months are names of months; the second set has other meanings too.
	months = set(
		`janeiro fevereiro abril maio junho julho agosto setembro outubro novembro dezembro enero febrero mayo junio julio
		septiembre setiembre octubre noviembre diciembre january february april june july august september october november december`)
	ambiguousMonths = set("marco marzo march may")
	// monthBefore make an ambiguous name a month.
	monthBefore = set("em de ate desde en hasta by until in since")
	// dayNames are the days of the week; those in shortDays have other meanings too.
	dayNames = worths(map[int]string{
		1: "lunes monday segunda", 2: "martes tuesday terca", 3: "miercoles wednesday quarta",
		4: "jueves thursday quinta", 5: "viernes friday sexta", 6: "sabado saturday", 7: "domingo sunday",
	})
	shortDays = set("segunda terca quarta quinta sexta")
	// shortDayBefore and shortDayAfter make one of those a day.
	shortDayBefore = set("na nesta nessa ate proxima ultima toda desde")
	shortDayAfter  = set("feira")
)
