package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cartrecovery.dev/operator/hack/sandbox"
)

// This file has the process in which the services and customers of the tenant that attacks run. It is told what to do
// in words, and answers "done".

// What is said to it.
const (
	// sayPair has the QR of the number scanned.
	sayPair = "pair"
	// sayBegin has the services attack, sayBeside the customers and callers.
	sayBegin  = "begin"
	sayBeside = "beside"

	saidDone = "done"
)

// elsewhere is that process, as the benchmark talks to it.
type elsewhere struct {
	// urls are those of its gateway and its AI.
	urls    []string
	command *exec.Cmd
	words   io.WriteCloser
	answers *bufio.Scanner
}

// moveOut starts it.
func (a *attacker) moveOut(ctx context.Context) (*elsewhere, error) {
	command, err := sandbox.Elsewhere(ctx, "-mode", "attacker", a.attack, a.namespace, strconv.Itoa(a.firstCustomer),
		a.manager)
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	words, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("talk to the attacker: %w", err)
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("hear the attacker: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the attacker: %w", err)
	}
	e := &elsewhere{command: command, words: words, answers: bufio.NewScanner(answers)}
	if !e.answers.Scan() {
		return nil, errors.Join(errors.New("the attacker does not start"), e.end())
	}
	e.urls = strings.Fields(e.answers.Text())
	return e, nil
}

// ask has it do something, and returns once it is done.
func (e *elsewhere) ask(word string) error {
	if _, err := fmt.Fprintln(e.words, word); err != nil {
		return fmt.Errorf("have the attacker %s: %w", word, err)
	}
	if !e.answers.Scan() || e.answers.Text() != saidDone {
		return fmt.Errorf("have the attacker %s: it says %q", word, e.answers.Text())
	}
	return nil
}

// end ends it.
func (e *elsewhere) end() error {
	if err := errors.Join(e.words.Close(), e.command.Wait()); err != nil {
		return fmt.Errorf("end the attacker: %w", err)
	}
	return nil
}

// beAttacker is the work of that process.
func beAttacker(ctx context.Context, args []string) (failed error) {
	all := append(slices.Clone(attacks), allOfIt())
	if len(args) != 4 {
		return errors.New("-mode attacker is what -mode tenants starts")
	}
	at := slices.IndexFunc(all, func(each attack) bool { return each.name == args[0] })
	first, err := strconv.Atoi(args[2])
	if err != nil || at < 0 {
		return fmt.Errorf("no attacker is %q", args)
	}
	if err := sandbox.StandBack(); err != nil {
		return err
	}
	bad := &attacker{attack: args[0], namespace: args[1], firstCustomer: first, manager: args[3]}
	urls, err := bad.open()
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, bad.stop()) }()
	if _, err := fmt.Fprintln(os.Stdout, strings.Join(urls, " ")); err != nil {
		return fmt.Errorf("tell the URLs: %w", err)
	}
	return bad.obey(ctx, all[at], os.Stdin, os.Stdout)
}

// obey does what each word asks for, until no more come.
func (a *attacker) obey(ctx context.Context, does attack, words io.Reader, answers io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	held := make(chan struct{})
	var beside sync.WaitGroup
	defer func() {
		stop()
		close(held)
		beside.Wait()
	}()
	for said := bufio.NewScanner(words); said.Scan(); {
		switch word := said.Text(); word {
		case sayPair:
			scan := func() error { return a.gateway.Scan(a.namespace+".acme", "5511977770000") }
			if err := poll(ctx, time.Minute, scan); err != nil {
				return fmt.Errorf("scan the QR of %s: %w", a.namespace, err)
			}
		case sayBegin:
			does.begin(a, held)
		case sayBeside:
			if does.beside != nil {
				beside.Go(func() { does.beside(ctx, a) })
			}
		default:
			return fmt.Errorf("nobody knows how to %q", word)
		}
		if _, err := fmt.Fprintln(answers, saidDone); err != nil {
			return fmt.Errorf("say that it is done: %w", err)
		}
	}
	return nil
}
