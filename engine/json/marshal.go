package json

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Marshal writes a value. Names of maps are sorted.
func Marshal(value any) ([]byte, error) {
	w := writer{}
	err := w.value(reflect.ValueOf(value))
	return w.out, err
}

type writer struct {
	out   []byte
	depth int
}

func (w *writer) value(v reflect.Value) error {
	if !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface || v.Kind() == reflect.Map) && v.IsNil() {
		return w.write("null")
	}
	if v.CanInterface() {
		switch custom := v.Interface().(type) {
		case marshaler:
			text, err := custom.MarshalJSON()
			w.out = append(w.out, text...)
			return err
		case *Object:
			return w.group('{', '}', len(custom.Names), func(i int) error {
				w.text(custom.Names[i])
				w.write(":")
				return w.value(reflect.ValueOf(custom.Values[i]))
			})
		case []int32: // of tokens, of which there may be many
			if custom != nil {
				return w.group('[', ']', len(custom), func(i int) error {
					w.out = strconv.AppendInt(w.out, int64(custom[i]), 10)
					return nil
				})
			}
		case Number:
			return w.write(string(custom))
		case number:
			return w.write(custom.String())
		}
	}
	switch v.Kind() {
	case reflect.Interface:
		return w.value(v.Elem())
	case reflect.Pointer:
		return w.deeper(func() error { return w.value(v.Elem()) })
	case reflect.Bool:
		return w.write(strconv.FormatBool(v.Bool()))
	case reflect.String:
		w.text(v.String())
		return nil
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return w.write("null")
		}
		return w.group('[', ']', v.Len(), func(i int) error { return w.value(v.Index(i)) })
	case reflect.Map:
		return w.names(v)
	case reflect.Struct:
		return w.fields(v)
	}
	switch {
	case v.CanInt():
		w.out = strconv.AppendInt(w.out, v.Int(), 10)
		return nil
	case v.CanUint():
		w.out = strconv.AppendUint(w.out, v.Uint(), 10)
		return nil
	case v.CanFloat():
		return w.float(v.Float(), v.Type().Bits())
	}
	return fmt.Errorf("JSON has no %s", v.Type())
}

func (w *writer) write(text string) error {
	w.out = append(w.out, text...)
	return nil
}

// deeper writes what a value holds. What Parse reads is never too deep.
func (w *writer) deeper(write func() error) error {
	if w.depth++; w.depth > maxDepth {
		return errDeep
	}
	defer func() { w.depth-- }()
	return write()
}

func (w *writer) group(open, closing byte, n int, item func(int) error) error {
	return w.deeper(func() error {
		w.out = append(w.out, open)
		for i := range n {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			if err := item(i); err != nil {
				return err
			}
		}
		w.out = append(w.out, closing)
		return nil
	})
}

func (w *writer) names(v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("JSON has no %s", v.Type())
	}
	var names []string
	for _, key := range v.MapKeys() {
		names = append(names, key.String())
	}
	slices.Sort(names)
	return w.group('{', '}', len(names), func(i int) error {
		w.text(names[i])
		w.write(":")
		return w.value(v.MapIndex(key(v.Type(), names[i])))
	})
}

func (w *writer) fields(v reflect.Value) error {
	all := fieldsOf(v.Type())
	list, values := make([]field, 0, len(all)), make([]reflect.Value, 0, len(all))
	for _, f := range all {
		value, err := v.FieldByIndexErr(f.index)
		if err != nil || f.omitEmpty && empty(value) { // of an embedded pointer that is nil
			continue
		}
		list, values = append(list, f), append(values, value)
	}
	return w.group('{', '}', len(list), func(i int) error {
		w.text(list[i].name)
		w.write(":")
		return w.value(values[i])
	})
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// float writes a float as encoding/json does: the shortest digits, with an exponent where JavaScript has one.
func (w *writer) float(x float64, bits int) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("JSON has no number %v", x)
	}
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	w.out = strconv.AppendFloat(w.out, x, format, -1, bits)
	return nil
}

func (w *writer) text(s string) {
	w.out = append(w.out, '"')
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
			i++
		}
		if w.out = append(w.out, s[plain:i]...); i == len(s) {
			break
		}
		c, size := utf8.DecodeRuneInString(s[i:])
		short := strings.IndexRune("\"\\\b\f\n\r\t", c)
		switch {
		case c == utf8.RuneError:
			w.out = utf8.AppendRune(w.out, c)
		case short >= 0:
			w.out = append(w.out, '\\', `"\bfnrt`[short])
		case c < ' ':
			w.out = append(w.out, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			w.out = append(w.out, s[i:i+size]...)
		}
		i += size
	}
	w.out = append(w.out, '"')
}
