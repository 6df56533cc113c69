// Package json reads and writes JSON by the tags that encoding/json knows, in a fraction of its code: a page waits for the program
// that it is part of. A type writes itself by MarshalJSON and reads itself by FromJSON. No name is taken that is not known, and
// errors are in a user's words.
package json

import "fmt"

// RawMessage is JSON that is kept as it is.
type RawMessage []byte

// MarshalJSON returns the text.
func (m RawMessage) MarshalJSON() ([]byte, error) {
	if m == nil {
		return []byte("null"), nil
	}
	return m, nil
}

// FromJSON keeps the text.
func (m *RawMessage) FromJSON(text []byte) error {
	*m = append((*m)[:0], text...)
	return nil
}

// Number is a number as the text spells it.
type Number string

// Object is an object whose names keep the text's order. A name that comes twice is in it twice.
type Object struct {
	Names  []string
	Values []any
}

// At returns the value of a name, the last where it comes twice, or nil.
func (o *Object) At(name string) any {
	for i := len(o.Names) - 1; i >= 0; i-- {
		if o.Names[i] == name {
			return o.Values[i]
		}
	}
	return nil
}

type (
	marshaler interface{ MarshalJSON() ([]byte, error) }
	// If it were UnmarshalJSON, that of time.Time would be linked too, with all that parses times.
	fromJSON interface{ FromJSON(text []byte) error }
	number   interface { // encoding/json's Number
		Int64() (int64, error)
		Float64() (float64, error)
		String() string
	}
)

// syntaxError is text that is no JSON, from a byte on.
type syntaxError struct{ at int }

func (e *syntaxError) Error() string {
	return fmt.Sprintf("this is not valid JSON, from character %d on", e.at+1)
}
