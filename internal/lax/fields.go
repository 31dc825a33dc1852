package lax

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
)

// Fields are the fields of an object: what the same sender writes now as a number, now as a string, and now not at
// all. A nil *Fields has none. It is not for concurrent use.
type Fields struct {
	all []field
	// at is where each is, in an object of many.
	at map[string]int
}

type field struct {
	name  string
	value Value
}

// maxSearched is how many fields are gone through for one of them; of more there is an index.
const maxSearched = 64

// Some makes fields of a map.
func Some(from map[string]Value) *Fields {
	made := &Fields{}
	for name, value := range from {
		made.Set(name, value)
	}
	return made
}

// find is where a field is; less than 0 where there is none.
func (f *Fields) find(name string) int {
	if f == nil {
		return -1
	}
	if f.at != nil {
		if at, found := f.at[name]; found {
			return at
		}
		return -1
	}
	at := len(f.all) - 1
	for at >= 0 && f.all[at].name != name {
		at--
	}
	return at
}

// added takes the fields from one on into the index, where there is one.
func (f *Fields) added(from int) {
	if len(f.all) <= maxSearched {
		return
	}
	if f.at == nil {
		f.at, from = make(map[string]int, len(f.all)), 0
	}
	for i, each := range f.all[from:] {
		f.at[each.name] = from + i
	}
}

// Set writes a field.
func (f *Fields) Set(name string, value Value) {
	if at := f.find(name); at >= 0 {
		f.all[at].value = value
		return
	}
	f.all = append(f.all, field{name, value})
	f.added(len(f.all) - 1)
}

// Len is how many fields there are, of which some can have the same name.
func (f *Fields) Len() int {
	if f == nil {
		return 0
	}
	return len(f.all)
}

// Each goes through the fields as they stand in the body: of those of one name the one that counts comes last.
func (f *Fields) Each() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for at := range f.Len() {
			if !yield(f.all[at].name, f.all[at].value) {
				return
			}
		}
	}
}

// Names are the names of the fields, in their order.
func (f *Fields) Names() []string { return slices.Sorted(maps.Keys(maps.Collect(f.Each()))) }

// Without is a copy of the fields but for some.
func (f *Fields) Without(names ...string) *Fields {
	made := &Fields{}
	for name, value := range f.Each() {
		if !slices.Contains(names, name) {
			made.Set(name, value)
		}
	}
	return made
}

// At is the value of a field, of one that is given twice the last; nothing where there is none.
func (f *Fields) At(name string) Value {
	if at := f.find(name); at >= 0 {
		return f.all[at].value
	}
	return Value{}
}

// OpenAll finds the fields of every object among them, for who reads much of them: they are then found once, and not
// again for each value that is read.
func (f *Fields) OpenAll() {
	if f == nil {
		return
	}
	for i := range f.all {
		f.all[i].value.fields = f.all[i].value.Object()
	}
}

// Has says whether one of the fields is there, even if it is null.
func (f *Fields) Has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return f.find(name) >= 0 })
}

// Says says whether one of the fields is there and not null.
func (f *Fields) Says(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return f.At(name).Is() })
}

// Child is the first object among the fields; nil when there is no object. Its own fields are found once.
func (f *Fields) Child(names ...string) *Fields {
	for _, name := range names {
		at := f.find(name)
		if at < 0 {
			continue
		}
		if object := f.all[at].value.Object(); object != nil {
			f.all[at].value.fields = object
			return object
		}
	}
	return nil
}

// Inner is Child, more forgiving: the object may be the first of a list, or JSON within a string of at most
// maxWithin bytes, as proxies that know only flat fields pass it on.
func (f *Fields) Inner(names ...string) *Fields {
	for _, name := range names {
		if object := f.Child(name); object != nil {
			return object
		}
		value := f.At(name)
		if list := value.List(1); len(list) > 0 {
			value = list[0]
		}
		if object := value.Within(maxWithin).Object(); object != nil {
			return object
		}
	}
	return nil
}

// maxWithin bounds the JSON within a string, in bytes.
const maxWithin = 1 << 20

// MarshalJSON writes the object, for whoever prints one.
func (f *Fields) MarshalJSON() ([]byte, error) { return json.Marshal(maps.Collect(f.Each())) }

// Word is a string or a number of the fields as it was written; "" for anything else.
func (f *Fields) Word(name string) string { return f.At(name).Word() }
