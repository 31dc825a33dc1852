package platforms

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/currency"

	"cartrecovery.dev/operator/internal/lax"
)

// This file reads amounts and currencies, of every platform. Which platforms send cents
// stands with them and in docs/platforms.md.

// amountOf returns a decimal with a point and two digits after it; "" when the value is
// no amount.
func amountOf(value lax.Value) string {
	if value.Kind() == lax.Number {
		return decimal(value.Word())
	}
	if plain := plainAmount(value.Text()); strings.Trim(plain, "0123456789.") == "" {
		return decimal(plain)
	}
	return ""
}

// centsOf reads an amount of a platform that sends cents: a whole number. One that is
// written with a point or a comma is an amount as people write it all the same.
func centsOf(value lax.Value) string {
	text := strings.TrimSpace(value.Word())
	if strings.ContainsAny(text, ".,") && !strings.ContainsAny(text, "eE") || strings.ContainsFunc(text, isMoneySign) {
		return amountOf(value)
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return amountOf(value) // "97 BRL"
	}
	if math.Abs(number) > 1e15 || number != float64(int64(number)) {
		return ""
	}
	return decimal(strconv.FormatFloat(number/100, 'f', 2, 64))
}

// firstAmount returns the first of the values that is an amount.
func firstAmount(read func(lax.Value) string, values ...lax.Value) string {
	for _, value := range values {
		if amount := read(value); amount != "" {
			return amount
		}
	}
	return ""
}

func decimal(text string) string {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(number) || number < 0 || number >= 1e12 {
		return ""
	}
	return strconv.FormatFloat(math.Abs(number), 'f', 2, 64)
}

func isMoneySign(r rune) bool { return unicode.Is(unicode.Sc, r) }

var withoutSeparators = strings.NewReplacer(".", "", ",", "")

// plainAmount turns an amount as people write it ("R$ 1.169,80", "1,169.80", "169.8",
// "169,80 reais") into a decimal with a point. The last separator is the decimal one, unless
// it is the only kind and sets off thousands.
func plainAmount(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\'' || r == '’' {
			return -1
		}
		return r
	}, text)
	text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsLetter(r) || isMoneySign(r) })
	text = strings.TrimSuffix(strings.TrimSuffix(text, ",-"), ",--")
	last := strings.LastIndexAny(text, ".,")
	if last < 0 {
		return text
	}
	whole, fraction := text[:last], text[last+1:]
	separator := text[last : last+1]
	repeated := strings.Contains(whole, separator)
	mixed := strings.ContainsAny(whole, ".,") && !repeated
	thousands := len(fraction) == 3 && whole != "0" && len(whole) > 0 && len(whole) <= 3
	whole = withoutSeparators.Replace(whole)
	if repeated && len(fraction) != 1 && len(fraction) != 2 || thousands && !mixed {
		return whole + fraction
	}
	return whole + "." + fraction
}

// currencySigns are the signs and numbers that stand for one currency.
var currencySigns = map[string]string{"R$": "BRL", "US$": "USD", "U$": "USD", "€": "EUR", "£": "GBP", "986": "BRL",
	"840": "USD", "978": "EUR"}

// currencyOf returns an ISO 4217 code, also for a sign that stands for one; "" when the
// value is neither.
func currencyOf(value lax.Value) string {
	text := strings.ToUpper(value.Clean(maxID))
	if code, found := currencySigns[text]; found {
		return code
	}
	if len(text) != 3 || text == "XXX" || text == "XTS" || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	if _, err := currency.ParseISO(text); err != nil {
		return ""
	}
	return text
}

// currencyIn returns the currency that an amount says itself: "R$ 169,80", "169.80 USD"; ""
// when it says none.
func currencyIn(value lax.Value) string {
	sign := strings.TrimSpace(value.Text())
	rest := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || isMoneySign(r) {
			return r
		}
		return -1
	}, sign)
	return currencyOf(lax.Of(rest))
}

// firstCurrency returns the first of the values that is a currency.
func firstCurrency(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
