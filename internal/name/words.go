package name

import "strings"

// The words below are compared in small letters and without accents.

// titles stand before a name. "Dom" and "Sor" are left out: they are names too.
//
//nolint:misspell // Portuguese and Spanish
var titles = set(`dr dra dres sr sra srta sras srs srita srto prof profa professor professora profesor profesora
	doutor doutora doctor doctora dott mr mrs ms miss mx mister missis sir madam madame don dona seu
	pastor pastora padre pe reverendo reverendissimo rev reverend bispo apostolo missionario missionaria
	cap capitao capt captain cel coronel ten tenente sgt sargento cabo gen major eng enga engenheiro
	engenheira ing adv advogado advogada arq arquiteto arquiteta lic licda exmo exma ilmo ilma senhor
	senhora senhorita senor senora senorita att frei irmao enf enfermeira enfermeiro dep deputado
	deputada vereador vereadora sto vossa senhoria excelencia vsa vip mons monsenhor diacono
	presbitero pb pr`)

// firstTitles are titles only where they begin a name; "Ana Lima ME" is a company.
var firstTitles = set(`me mc dj msc md phd`)

// relations are what somebody is to somebody else. They stand before a name ("Tia Ju"), or say
// whose relative has it ("mãe do Pedro").
var relations = set(
	`pai mae papai mamae filho filha filhos esposa esposo marido mulher noiva noivo namorada namorado vo vovo avo
	avos tio tia titio titia primo prima sobrinho sobrinha neto neta cunhado cunhada sogro sogra genro madrinha
	padrinho comadre compadre mama papa madre hijo hija abuela abuelo abuelita abuelito hermano hermana suegra suegro
	yerno nuera sobrina nieto nieta novia novio mujer mom mum mommy mummy dad daddy mother father wife husband son
	daughter aunt auntie uncle grandma grandpa grandmother grandfather granny sister brother cousin niece nephew`)

// particles join the parts of a name: what begins with one is a family's name.
var particles = set(`da das de del della di do dos du la las los van von der den y e`)

// articles stand before who somebody is.
var articles = set(`a o as os la el los las the seu sua su un una um uma`)

// placeholders are whole texts that stand where a name is missing.
//
//nolint:misspell // Portuguese and Spanish
var placeholders = phrases(
	`null,undefined,nil,none,nan,n/a,n.a,n/d,na,nd,s/n,s/nome,vazio,empty,blank,false,true,object object,
	nao informado,nao informada,nome nao informado,cliente nao informado,sem nome,sem informacao,nao consta,
	nao tem,nao sei,nao definido,no informado,no especificado,no definido,sin nombre,sin datos,no name,
	noname,not informed,not provided,not available,not set,not specified,unknown,unnamed,desconhecido,
	desconhecida,desconocido,desconocida,anonimo,anonima,anonymous,test,teste,testes,testing,tester,prueba,
	pruebas,test test,teste teste,asdf,asdfg,qwe,qwerty,abc,abcd,foo,bar,cliente,clientes,customer,client,
	comprador,compradora,buyer,user,usuario,usuaria,guest,visitante,convidado,convidada,invitado,lead,
	contato,contacto,contact,aluno,aluna,student,assinante,subscriber,consumidor,consumidor final,pagador,
	payer,nome,nome completo,seu nome,nombre,name,full name,fullname,first name,firstname,last name,
	your name,nome do cliente,nome do aluno,nome do comprador,fulano,fulana,fulano de tal,fulana de tal,
	beltrano,sicrano,ciclano,mengano,zutano,admin,administrador,administrator,root,financeiro,
	suporte,sn,xpto,first last,john doe,jane doe,jr,junior teste,v.sa,v.s.a,prefiro nao dizer,
	prefiro nao informar,nao quero informar,nao se aplica,nao identificado,n. informado,a definir,
	a confirmar,tbd,to be defined,vip,nome sobrenome,dummy,sample,exemplo,example`)

// noNames are first words of what is no name: "Cliente 12", "Teste Comprador".
//
//nolint:misspell // Portuguese and Spanish
var noNames = set(`null undefined nil none nan test teste testes testing tester prueba cliente customer comprador
	compradora buyer user usuario guest visitante nome nombre name desconhecido unknown anonimo
	anonymous nao sem sin prefiro admin administrador financeiro suporte familia casal lead contato consumidor fulano fulana beltrano sicrano ciclano mengano object
	aluno aluna alunos student students estudante estudiante alumno alumna cadastro inscrito inscrita assinante subscriber
	consumidora pagador payer convidado convidada invitado administrator administrador root owner proprietario
	moderador moderator operador operator atendente vendedor vendedora seller membro member participante participant`)

// companyForms are what companies are, where it is written with dots or strokes.
var companyForms = []string{
	"s.a", "s.a.", "s/a", "s.a.s", "s.a.s.", "s.l", "s.l.", "s.r.l", "s.r.l.",
	"l.l.c", "l.l.c.", "& cia", "e cia", "& co", "& co.",
}

// companyWords are words that only companies have in their names.
var companyWords = set(
	`ltda limitada eireli mei epp llc inc incorporated corp corporation ltd limited gmbh srl plc sas cnpj
	comercio industria servicos servicios consultoria assessoria empreendimentos participacoes holding
	holdings associados distribuidora transportadora construtora imobiliaria company companhia empresa
	empresas advogados contabilidade engenharia solutions solucoes tecnologia technologies`)

// shopWords are first words of companies, shops and other institutions.
//
//nolint:misspell // Portuguese and Spanish
var shopWords = set(`loja lojas tienda store shop padaria mercado mercadinho mercearia supermercado farmacia drogaria
	restaurante lanchonete pizzaria bar clinica consultorio hospital laboratorio instituto associacao
	asociacion fundacao igreja iglesia paroquia escola escuela colegio school universidade faculdade
	condominio auto oficina hotel pousada salao studio estudio academia grupo group agencia escritorio
	grafica comercial cia banco transportes advocacia boutique confeccoes prefeitura secretaria`)

// lastWords are what companies are, where it is the last word: they may be something else
// within a name.
var lastWords = set(`me sl co cia group grupo shop store modas boutique`)

func set(words string) map[string]bool {
	made := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		made[word] = true
	}
	return made
}

// phrases is set for texts of several words, with commas between them.
func phrases(texts string) map[string]bool {
	made := map[string]bool{}
	for text := range strings.SplitSeq(texts, ",") {
		made[strings.Join(strings.Fields(text), " ")] = true
	}
	return made
}
