package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// equivalents are the mutants that no test can tell from the program, each with its reason.
type equivalents map[string]string

// readEquivalents reads a list: a line has the folder, the file, the function, the change and the
// reason, with bars between them; lines that begin with # are remarks. No list is an empty one.
func readEquivalents(path string) (equivalents, error) {
	file, err := os.Open(path) //nolint:gosec // the list of this tool
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	list := equivalents{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " | ")
		if at < 0 || strings.Count(line, " | ") < 3 {
			return nil, fmt.Errorf("%s: %q: write folder | file:function | change | reason", path, line)
		}
		list[line[:at]] = line[at+3:]
	}
	return list, nil
}

// key is how the list names a mutant: without its line, which other changes move.
func (m *mutant) key(folder string) string {
	return folder + " | " + m.file + ":" + m.function + " | " + m.change
}

// without takes the mutants of the list out, and complains of entries for which there is none.
func (e equivalents) without(folder string, all []mutant) (rest []mutant, err error) {
	found := map[string]bool{}
	for _, each := range all {
		key := each.key(folder)
		if _, listed := e[key]; listed {
			found[key] = true
			continue
		}
		rest = append(rest, each)
	}
	for key := range e {
		if strings.HasPrefix(key, folder+" | ") && !found[key] {
			return nil, fmt.Errorf("there is no mutant %q: take it out of the list of equivalent ones", key)
		}
	}
	return rest, nil
}
