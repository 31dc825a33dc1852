package main

import (
	"slices"
	"strings"
	"time"

	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/hack/docs/sections"
	"cartrecovery.dev/operator/internal/movein"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// document is a file with generated sections, by the names in their markers.
type document struct {
	// path from the module's root, with slashes.
	path     string
	sections map[string]string
}

// documents are all files with generated sections, of the module at root. A new one is a line here.
func documents(root string) ([]document, error) {
	fields, err := policyFields(root)
	if err != nil {
		return nil, err
	}
	values, err := chartValues(root)
	if err != nil {
		return nil, err
	}
	api, err := apiSections(root)
	if err != nil {
		return nil, err
	}
	texts, err := costs()
	if err != nil {
		return nil, err
	}
	gateways, policies := gatewaySections(), policySections()
	gateways["types"], policies["fields"] = gatewayTypes(), fields
	return []document{
		{path: "README.md", sections: map[string]string{"platforms": titles(
			"It understands %s and, by a mapping, any other platform.")}},
		{path: "README.pt-BR.md", sections: map[string]string{"platforms": titles(
			"Ele entende %s e, por um mapeamento, qualquer outra plataforma.")}},
		{path: "docs/api.md", sections: api},
		{path: "docs/events.md", sections: map[string]string{"blocked": toldReasons()}},
		{path: "docs/platforms.md", sections: platformSections()},
		{path: "docs/faq.md", sections: map[string]string{"costs": texts}},
		{path: "docs/sizing.md", sections: map[string]string{
			"month": sizes(policy.DefaultTTLAfterFinished), "days": sizes(72 * time.Hour)}},
		{path: "docs/gateways.md", sections: gateways},
		{path: "docs/policy.md", sections: policies},
		{path: "docs/moving-in.md", sections: columnSections()},
		{path: chart + "/README.md", sections: map[string]string{"values": values}},
	}, nil
}

// toldReasons are the reasons of the Blocked condition that an event tells of.
func toldReasons() string {
	told := slices.DeleteFunc(plan.BlockedReasons(), func(reason string) bool { return !plan.IsTold(reason) })
	return wrapped(codes(told)+".", "")
}

// gatewaySections are what every format's events do.
func gatewaySections() map[string]string {
	rows := map[string][][2]string{}
	for _, row := range formats.Table() {
		rows[row.Format] = append(rows[row.Format], [2]string{row.Event, row.Meaning})
	}
	sections := map[string]string{}
	for format, rows := range rows {
		sections[format] = table([2]string{"event", "what it does"}, rows)
	}
	return sections
}

// statuses are how other backends call what became of a lead.
func statuses() string {
	var rows [][2]string
	for _, each := range movein.Statuses {
		rows = append(rows, [2]string{"`" + each.Name + "`", "`" + strings.Join(each.Others, "`, `") + "`"})
	}
	return table([2]string{"status", "means the same"}, rows)
}

// columnSections are the columns of the files that the plugin imports, and the statuses of leads in them.
func columnSections() map[string]string {
	sections := map[string]string{"statuses": statuses()}
	for name, columns := range map[string]movein.Columns{
		"opt-outs": movein.OptOutColumns, "leads": movein.LeadColumns, "instances": movein.InstanceColumns,
	} {
		var rows [][2]string
		for _, column := range columns {
			title := "`" + column.Name + "`"
			if column.Required {
				title += " (required)"
			}
			meaning := column.Meaning
			if len(column.Aliases) > 0 {
				meaning += ". Also `" + strings.Join(column.Aliases, "`, `") + "`"
			}
			rows = append(rows, [2]string{title, meaning})
		}
		sections[name] = table([2]string{"column", "what stands in it"}, rows)
	}
	return sections
}

// policySections are the built-in words that customers' messages are compared with.
func policySections() map[string]string {
	names := map[string]string{policy.Portuguese: "Portuguese", policy.Spanish: "Spanish", policy.English: "English"}
	words := func(list func(...string) []string) string {
		var rows [][2]string
		for _, language := range policy.Languages() {
			rows = append(rows, [2]string{names[language], strings.Join(list(language), " · ")})
		}
		return table([2]string{"language", "the whole message"}, rows)
	}
	return map[string]string{"opt-out": words(policy.OptOutWords), "person": words(policy.HumanPhrases),
		"understood": understood()}
}

// understood are examples of what is told from customers' own words, and of what is not.
func understood() string {
	var rows [][2]string
	for _, kind := range policy.Examples() {
		rows = append(rows, [2]string{kind.Name, strings.Join(kind.Examples, " · ") + " — but not: " +
			strings.Join(kind.Not, " · ")})
	}
	return table([2]string{"what is understood", "for example"}, rows)
}

// table writes a table of two columns in Markdown.
func table(head [2]string, lines [][2]string) string {
	cells := make([][]string, 0, len(lines))
	for i := range lines {
		cells = append(cells, lines[i][:])
	}
	return sections.Table(head[:], cells)
}
