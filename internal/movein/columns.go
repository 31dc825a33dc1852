package movein

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Column is a column of a file.
type Column struct {
	// Name of the column, and what other names mean it. Letters and digits count: customer_phone is customerPhone.
	Name    string
	Aliases []string
	// Required: every row has it.
	Required bool
	// IsList: what stands in it is a list, in JSON; in other columns it is a text or a number.
	IsList bool
	// Meaning is what stands in it, for people.
	Meaning string
}

// Columns are those of a kind of file.
type Columns []Column

// OptOutColumns are the columns of a file of opt-outs.
var OptOutColumns = Columns{
	{Name: "phone", Aliases: []string{"customerPhone", "number", "whatsapp", "telefone", "celular", "jid"},
		Required: true,
		Meaning:  "the number; without a country code it is one of the Store's `region`"},
	{Name: "reason", Aliases: []string{"motivo"},
		Meaning: "`OptOut` (default), `WrongNumber`, `Complaint` or `Manual`"},
	{Name: "expiresAt", Aliases: []string{"until", "expires"},
		Meaning: "when the number may be written to again; never by default"},
	clientColumn,
}

// LeadColumns are the columns of a file of leads.
var LeadColumns = Columns{
	{Name: "phone", Aliases: []string{"customerPhone", "leadPhone", "number", "whatsapp", "telefone", "celular"},
		Required: true, Meaning: "the customer's number; without a country code it is one of the Store's `region`"},
	{Name: "email", Aliases: []string{"customerEmail", "leadEmail"},
		Meaning: "the customer's address. It is part of what makes two carts the same: export it where there is one"},
	{Name: "name", Aliases: []string{"customerName", "leadName", "fullName", "nome"}, Meaning: "the customer's name"},
	{Name: "platform", Aliases: []string{"source", "gatewayPlatform", "plataforma"},
		Meaning: "one of the Store's `platforms`; may be left out where it has only one"},
	{Name: "productId", Aliases: []string{"platformProductId", "externalProductId"},
		Meaning: "the product's id at the platform; this or `productName`"},
	{Name: "productName", Aliases: []string{"product", "produto"}, Meaning: "the product's name at the platform"},
	{Name: "abandonedAt", Aliases: []string{"createdAt", "checkoutAbandonedAt"}, Required: true,
		Meaning: "when the customer left the checkout"},
	{Name: "trigger", Aliases: []string{"event", "eventType"},
		Meaning: "`AbandonedCart` (default), `PixPending`, `BoletoPending` or `PaymentRefused`"},
	{Name: "status", Aliases: []string{"state", "recoveryStatus"},
		Meaning: "`pending`, `contacted`, `converted`, `recovered`, `failed` and others, see below; by default what " +
			"the conversation says"},
	{Name: "contactedAt", Aliases: []string{"firstContactAt", "lastContactedAt", "messageSentAt", "sentAt"},
		Meaning: "when the first message was sent, for a lead without a conversation"},
	{Name: "boughtAt", Aliases: []string{"purchasedAt", "convertedAt", "recoveredAt", "paidAt", "compradoEm"},
		Meaning: "when the customer bought, for `converted` and `recovered`"},
	{Name: "conversation", Aliases: []string{"messages", "conversationLog", "history", "logs"}, IsList: true,
		Meaning: "a JSON array of `{\"role\", \"text\", \"at\"}`, oldest first or not"},
	{Name: "instance", Aliases: []string{"instanceName", "whatsappInstance"},
		Meaning: "the number that the conversation is on: a WhatsAppInstance, or its name at the gateway"},
	{Name: "checkoutURL", Aliases: []string{"checkoutLink", "cartUrl", "recoveryUrl"},
		Meaning: "the customer's link back to the checkout"},
	{Name: "amount", Aliases: []string{"value", "cartValue", "price", "valor"},
		Meaning: "of the cart, `297.00` or `297,00`"},
	{Name: "currency", Aliases: []string{"moeda"}, Meaning: "ISO 4217; the Store's `currency` by default"},
	{Name: "transactionId", Aliases: []string{"transaction", "saleId", "orderId"}, Meaning: "the sale at the platform"},
	{Name: "eventId", Aliases: []string{"webhookEventId"}, Meaning: "the platform's id of the event"},
	clientColumn,
}

// InstanceColumns are the columns of a file of numbers.
var InstanceColumns = Columns{
	{Name: "instanceName", Aliases: []string{"instance", "gatewayName"}, Required: true,
		Meaning: "the name of the instance at the gateway: letters, digits, `.`, `_` and `-`, no blanks"},
	{Name: "token", Aliases: []string{"instanceToken", "apiKey", "apiToken"}, Required: true,
		Meaning: "the instance's own token at the gateway. A secret: delete the file when you are done"},
	{Name: "name", Aliases: []string{"resourceName"},
		Meaning: "the name of the WhatsAppInstance; made of `instanceName` by default"},
	{Name: "gateway", Aliases: []string{"gatewayType", "provider"}, Meaning: "`UAZAPI` (default) or `Evolution`"},
	{Name: "dialect", Meaning: "`V2` (default), `V1` or `Legacy`, see gateways.md"},
	{Name: "baseURL", Aliases: []string{"gatewayUrl", "serverUrl", "host"},
		Meaning: "the gateway's address; `--gateway-url` by default. The token goes nowhere else"},
	{Name: "adminTokenSecret", Aliases: []string{"adminTokenSecretRef"},
		Meaning: "`NAME/KEY` of the Secret with the token of your account there. Left out: the gateway is the " +
			"operator's own"},
	{Name: "pairedAt", Aliases: []string{"connectedAt", "createdAt"},
		Meaning: "when it was paired; after 14 days there is no warm-up"},
	clientColumn,
}

// clientColumn tells the rows of one client from those of others.
var clientColumn = Column{Name: "clientId", Aliases: []string{"client", "tenantId", "userId"},
	Meaning: "the client; rows of another than the Store's `clientID` are skipped"}

// normal is a name without what people put between its words.
func normal(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// named is the column that a name means, "" for none.
func (c Columns) named(name string) string {
	wanted := normal(name)
	for i := range c {
		if normal(c[i].Name) == wanted {
			return c[i].Name
		}
	}
	for i := range c {
		for _, alias := range c[i].Aliases {
			if normal(alias) == wanted {
				return c[i].Name
			}
		}
	}
	return ""
}

// isList says whether a column has a list.
func (c Columns) isList(column string) bool {
	return slices.ContainsFunc(c, func(each Column) bool { return each.Name == column && each.IsList })
}

// header are the columns that names mean, "" for those that mean nothing, which are told as well.
func (c Columns) header(names []string) (header, unknown []string, err error) {
	by := map[string]int{}
	for i, name := range names {
		column := c.named(name)
		if first, twice := by[column]; twice && column != "" {
			return nil, nil, fmt.Errorf("the columns %d and %d both mean %s: leave one out", first+1, i+1, column)
		}
		if column == "" && len(unknown) < maxUnknown {
			unknown = append(unknown, shownName(name))
		}
		by[column] = i
		header = append(header, column)
	}
	var missing []string
	for i := range c {
		if _, has := by[c[i].Name]; c[i].Required && !has {
			missing = append(missing, c[i].Name)
		}
	}
	if len(missing) > 0 {
		return nil, nil, fmt.Errorf("the first line has no column %s; expected a line with the names of the columns "+
			"(docs/moving-in.md)", strings.Join(missing, " and "))
	}
	return header, unknown, nil
}

// nameForm is what a column may be called to be told by its name.
var nameForm = regexp.MustCompile(`^\p{L}[\p{L}0-9_ .-]{0,39}$`)

// shownName is how a column that means nothing is told. In a file of another form than expected a customer's number or
// address can stand where a name is looked for.
func shownName(name string) string {
	if nameForm.MatchString(strings.TrimSpace(name)) {
		return strings.TrimSpace(name)
	}
	return "one whose name is none"
}
