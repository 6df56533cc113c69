package chat

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"slices"
)

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// toValue takes a Go value in, through JSON where it is none of the plain kinds. Numbers without a fraction are integers, as in
// JSON's text: encoding/json reads all into float64.
func toValue(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64, *list, *dict, *big.Int:
		return v
	case int:
		return int64(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
		return v
	case []any:
		l := &list{}
		for _, item := range v {
			l.items = append(l.items, toValue(item))
		}
		return l
	case map[string]any:
		d := newDict()
		for _, key := range sortedKeys(v) {
			d.set(key, toValue(v[key]))
		}
		return d
	case json.RawMessage:
		return parseJSON(v)
	}
	data, err := json.Marshal(v)
	if err != nil {
		fail(0, "a value for the template is no JSON: %v", err)
	}
	return parseJSON(data)
}

func parseJSON(data []byte) any {
	if len(data) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := fromJSON(decoder)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			fail(0, "a value for the template is no JSON: something follows it")
		}
	}
	if err != nil {
		fail(0, "a value for the template is no JSON: %v", err)
	}
	return value
}

// fromJSON reads one value and keeps the order of keys.
func fromJSON(in *json.Decoder) (any, error) {
	t, err := in.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if n, ok := new(big.Int).SetString(t.String(), 10); ok {
			return small(n), nil
		}
		return t.Float64()
	case json.Delim:
		if t == '[' {
			l := &list{}
			for in.More() {
				item, err := fromJSON(in)
				if err != nil {
					return nil, err
				}
				l.items = append(l.items, item)
			}
			_, err := in.Token()
			return l, err
		}
		d := newDict()
		for in.More() {
			key, err := in.Token()
			if err != nil {
				return nil, err
			}
			value, err := fromJSON(in)
			if err != nil {
				return nil, err
			}
			d.set(key, value)
		}
		_, err := in.Token()
		return d, err
	}
	return t, nil
}
