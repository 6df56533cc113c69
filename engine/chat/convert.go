package chat

import (
	"math"
	"slices"
	"strconv"

	"quire/engine/chat/big"
	"quire/engine/json"
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
	case *json.Object:
		d := newDict()
		for i, name := range v.Names {
			d.set(name, toValue(v.Values[i]))
		}
		return d
	case json.Number:
		if len(v) > maxDigits {
			fail(0, "a number for the template has more than %d digits", maxDigits)
		}
		if n, ok := big.Parse(string(v), 10); ok {
			return small(n)
		}
		x, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			fail(0, "a value for the template is no JSON: the number %s is too large", v)
		}
		return x
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
	value, err := json.Parse(data)
	if err != nil {
		fail(0, "a value for the template is no JSON: %v", err)
	}
	return toValue(value)
}
