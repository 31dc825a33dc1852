package main

import (
	"bytes"
	"slices"
	"strings"
)

// edits are the changes to one file. What is put around an expression stands outside of what is put
// around its parts as long as the outer ones are added first.
type edits struct {
	before, after map[int][]string
	instead       map[int]replacement
}

// replacement is a text that stands in the place of so many bytes.
type replacement struct {
	length int
	text   string
}

func newEdits() *edits {
	return &edits{before: map[int][]string{}, after: map[int][]string{}, instead: map[int]replacement{}}
}

// around puts texts before and after the bytes from start to end.
func (e *edits) around(start, end int, before, after string) {
	e.before[start] = append(e.before[start], before)
	e.after[end] = append([]string{after}, e.after[end]...)
}

// replace puts a text in the place of the bytes from start to end.
func (e *edits) replace(start, end int, text string) {
	e.instead[start] = replacement{length: end - start, text: text}
}

// apply writes the changed file.
func (e *edits) apply(text []byte) []byte {
	var out bytes.Buffer
	for at := 0; at <= len(text); at++ {
		out.WriteString(strings.Join(slices.Concat(e.after[at], e.before[at]), ""))
		if other, has := e.instead[at]; has {
			out.WriteString(other.text)
			at += other.length - 1
		} else if at < len(text) {
			out.WriteByte(text[at])
		}
	}
	return out.Bytes()
}
