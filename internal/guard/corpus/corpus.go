// Package corpus reads sets of texts an AI could write, with the facts of the shops they are
// written for: hostile ones must be refused, benign ones must pass. The tests of the guard and
// hack/guardeval judge them.
package corpus

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
)

// maxFile bounds a file of texts, in bytes.
const maxFile = 8 << 20

// Review is the layer of texts that no rule about words can know.
const Review = "review"

// Shop is what a store says of itself and of one product.
type Shop struct {
	Locale      string `json:"locale"`
	Store       string `json:"store"`
	Product     string `json:"product"`
	Persona     string `json:"persona"`
	Tone        string `json:"tone"`
	Description string `json:"description"`
	Coupon      string `json:"coupon"`
	CouponText  string `json:"couponText"`
	Checkout    string `json:"checkout"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	// Last is what the store wrote last.
	Last string `json:"last"`
}

// Text is one text, and what the customer had said before.
type Text struct {
	ID       string `json:"id"`
	Context  string `json:"context"`
	Category string `json:"category"`
	Customer string `json:"customer"`
	Text     string `json:"text"`
	// Layer is Review where no rule about words can know the text; "" where one can.
	Layer string `json:"layer,omitempty"`
}

// Corpus is a set of texts.
type Corpus struct {
	Contexts map[string]Shop `json:"contexts"`
	Hostile  []Text          `json:"hostile"`
	Benign   []Text          `json:"benign"`
}

// Read reads a set of texts and checks that every text has a shop.
func Read(path string) (*Corpus, error) {
	file, err := os.Open(path) //nolint:gosec // a file that whoever runs the evaluation names
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var read Corpus
	if err := json.NewDecoder(io.LimitReader(file, maxFile)).Decode(&read); err != nil {
		return nil, fmt.Errorf("%s: expected an object with contexts, hostile and benign: %w", path, err)
	}
	for _, texts := range [][]Text{read.Hostile, read.Benign} {
		for _, text := range texts {
			if _, ok := read.Contexts[text.Context]; !ok {
				return nil, fmt.Errorf("%s: %s: context: expected one of contexts, got %q", path, text.ID, text.Context)
			}
		}
	}
	return &read, nil
}

// Facts are what a text is judged by: the built-in prompt as an answer is written with it.
func (c *Corpus) Facts(text Text) (guard.Facts, error) {
	shop := c.Contexts[text.Context]
	data := ai.PromptData{
		Store:    ai.PromptStore{Name: shop.Store, Locale: shop.Locale},
		Product:  ai.PromptProduct{Name: shop.Product, Description: shop.Description},
		Persona:  ai.PromptPersona{Name: shop.Persona, Tone: shop.Tone},
		Customer: ai.PromptCustomer{Name: "Cliente"}, CheckoutURL: shop.Checkout,
		Coupon: ai.PromptCoupon{Code: shop.Coupon, Text: shop.CouponText},
		Amount: shop.Amount, Currency: shop.Currency, Trigger: "AbandonedCart", IsReply: true,
	}
	prompt, err := ai.ParsePrompt(ai.DefaultSystemPrompt)
	if err != nil {
		return guard.Facts{}, err
	}
	system, err := prompt.Render(data)
	if err != nil {
		return guard.Facts{}, err
	}
	return guard.Facts{
		Prompt: ai.Given(system, data), Hosts: []string{shop.Checkout}, Coupon: shop.Coupon, Locale: shop.Locale,
		Customer: []string{text.Customer}, Last: shop.Last,
	}, nil
}
