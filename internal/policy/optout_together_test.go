package policy_test

import (
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/policy"
)

// TestOptsOutTogether: a request that is written in several messages, and messages that are none together.
func TestOptsOutTogether(t *testing.T) {
	none := policy.Policy{}
	for texts, want := range map[string]bool{
		"não quero|receber mais mensagens":          true,
		"não quero...|receber mais mensagens":       true,
		"me|tira|da lista":                          true,
		"oi|me tira|dessa lista":                    true,
		"não me mande|mais mensagens":               true,
		"no me|escriban más":                        true,
		"no quiero|recibir más mensajes":            true,
		"I don't want|to receive messages":          true,
		"don't send me|any more messages":           true,
		"please take me off|the list":               false, // so is it
		"tira meu número|da lista de vocês":         false, // the first is a request already
		"não quero|perder a vaga":                   false,
		"não quero|receber o boleto":                false,
		"para|amanhã":                               false,
		"não|me manda mensagem":                     false,
		"não|mande mensagem amanhã":                 false,
		"no|más mensajes por favor":                 false,
		"não|quero receber mensagens":               false,
		"no|text me":                                false,
		"me|manda o link":                           false,
		"me tira|uma dúvida":                        false,
		"não me mande|o boleto":                     false,
		"não quero?|receber mais mensagens":         false,
		"parar|obrigado":                            false,
		"não quero|receber mais mensagens|do banco": false,
		"quanto custa|o curso":                      false,
		"não quero":                                 false,
		"":                                          false,
	} {
		if got := none.OptsOutTogether(strings.Split(texts, "|")); got != want {
			t.Errorf("%q: %t, want %t", texts, got, want)
		}
	}
	if none.OptsOutTogether(nil) || none.OptsOutTogether([]string{"não quero " + strings.Repeat("muito ", 50),
		"receber mais mensagens"}) {
		t.Error("nothing, or a long message, is joined")
	}
}
