// Package shapes has what is hard to change without breaking the build.
package shapes

import (
	"errors"
	"strings"
	"time"
)

type (
	flag  bool
	level int32
	state string
	stamp struct{ time.Time }
)

// Before hides that of time.Time, as the types of Kubernetes do.
func (s *stamp) Before(other *stamp) bool { return s.Time.Before(other.Time) }

const (
	size        = 4
	open  state = "open"
	day         = 24 * time.Hour
	ready flag  = true
)

var (
	table  = [size]int{0: 1, 2: 3}
	always = true
	counts = map[state]bool{open: true}
)

func conditions(a, b, c bool, err error) (bool, flag) {
	ok := a && (b || !c)
	if errors.Is(err, errors.ErrUnsupported) || err != nil && !(a == b) {
		return ok, ready
	}
	return !a, flag(b)
}

func numbers(xs []int, of level, short uint8) (int, level) {
	total, room := 0, make([]int, 0, 8+len(xs))
	for i := len(xs) - 1; i >= 0; i-- {
		if i == 3 {
			continue
		}
		total += xs[i]*2 + 1
		total++
		room = append(room, xs[max(0, i-1)])
	}
	of -= level(short) + 2
	return total - len(room[:min(len(room), size)]), of
}

func times(at stamp, pointed *stamp, now time.Time, waits int) (time.Duration, bool) {
	if at.Before(pointed) || at.Time.Before(now.Add(-day)) || pointed.
		After(now) {
		return time.Duration(waits) * 2 * time.Second, false
	}
	return 30 * time.Minute, now.Before(at.Add(time.Hour))
}

func switches(of state, kind any, n int, letter rune) level {
	switch of {
	case open, "ajar":
		return 1
	case "":
		strings.ToLower("x")
	default:
	}
	switch kind.(type) {
	case nil:
		return 2
	case int, string:
	}
	switch {
	case n < 3, n > 9 && n != 12:
		return 3
	}
	switch n {
	case 1, len(table):
		return 4
	}
	switch letter {
	case 'a':
		panic("no letter")
	}
	return 5
}

func closures(names []string) func() bool {
	found := false
	for _, name := range names {
		func() {
			found = found || name < "m"
		}()
		if found {
			break
		}
	}
	return func() bool { return found && always && counts[open] && generic(1, 2) }
}

func generic[T int | string](a, b T) bool { return a+b > a }
