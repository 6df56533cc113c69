package json

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Unmarshal reads one value. Names must be those of the fields' tags, letter by letter. Null leaves what is no pointer, list, map or
// interface as it is.
func Unmarshal(text []byte, to any) error {
	r := reader{text: string(text)}
	if err := r.into(reflect.ValueOf(to).Elem(), ""); err != nil {
		return err
	}
	return r.end()
}

// into reads a value; field is the path to it.
func (r *reader) into(v reflect.Value, field string) error {
	c := r.peek()
	start := r.at
	switch own := v.Addr().Interface().(type) {
	case fromJSON:
		if _, err := r.value(); err != nil {
			return err
		}
		return own.FromJSON([]byte(r.text[start:r.at]))
	case *[]int32:
		if c == '[' {
			return r.integers(own, field)
		}
	}
	if c == 'n' {
		switch v.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			v.SetZero()
		}
		return r.word("null")
	}
	switch kind := v.Kind(); {
	case kind == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return r.into(v.Elem(), field)
	case kind == reflect.Interface && v.NumMethod() == 0:
		value, err := r.value()
		if err == nil && value != nil {
			v.Set(reflect.ValueOf(value))
		}
		return err
	case kind == reflect.Struct && c == '{':
		return r.intoStruct(v, field)
	case kind == reflect.Map && v.Type().Key().Kind() == reflect.String && c == '{':
		v.Set(reflect.MakeMap(v.Type()))
		return r.object(func(name string) error {
			item := reflect.New(v.Type().Elem()).Elem()
			err := r.into(item, join(field, name))
			v.SetMapIndex(key(v.Type(), name), item)
			return err
		})
	case kind == reflect.Slice && c == '[':
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return r.list(func() error {
			item := reflect.New(v.Type().Elem()).Elem()
			err := r.into(item, field)
			v.Set(reflect.Append(v, item))
			return err
		})
	}
	value, err := r.value()
	if err != nil {
		return err
	}
	if !assign(v, value) {
		if field == "" {
			return fmt.Errorf("the JSON is %s where %s is expected", given(value, v.Type()), wanted(v.Type()))
		}
		return fmt.Errorf("field %q is %s, it must be %s", field, given(value, v.Type()), wanted(v.Type()))
	}
	return nil
}

// integers reads a list of whole numbers, such as a long prompt's tokens: reflection takes microseconds for each.
func (r *reader) integers(list *[]int32, field string) error {
	*list = []int32{}
	return r.list(func() error {
		n := len(*list)
		if *list = r.digits(*list); len(*list) > n {
			return nil
		}
		*list = append(*list, 0)
		return r.into(reflect.ValueOf(*list).Index(n), field)
	})
}

// digits reads numbers of a few digits with commas between them, up to the first that is not plainly one.
func (r *reader) digits(list []int32) []int32 {
	text := r.text
	for at := r.at; ; at++ {
		n, begin := int32(0), at
		for at < len(text) && text[at]-'0' <= 9 && at < begin+9 {
			n = 10*n + int32(text[at]-'0')
			at++
		}
		if at == begin || at == len(text) || text[at] != ',' && text[at] != ']' || text[begin] == '0' && at > begin+1 {
			return list
		}
		list, r.at = append(list, n), at
		if text[at] == ']' {
			return list
		}
	}
}

// key makes a map's key of a name.
func key(t reflect.Type, name string) reflect.Value {
	k := reflect.New(t.Key()).Elem()
	k.SetString(name)
	return k
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

func (r *reader) intoStruct(v reflect.Value, field string) error {
	list := fieldsOf(v.Type())
	return r.object(func(name string) error {
		for _, f := range list {
			if f.name == name {
				return r.into(v.FieldByIndex(f.index), join(field, name))
			}
		}
		return fmt.Errorf("unknown field %q", name)
	})
}

// assign sets what is no list and no object, and reports whether the value is of its kind.
func assign(v reflect.Value, value any) bool {
	switch value := value.(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(value)
			return true
		}
	case string:
		if v.Kind() == reflect.String {
			v.SetString(value)
			return true
		}
	case Number:
		switch {
		case v.CanInt():
			n, err := strconv.ParseInt(string(value), 10, v.Type().Bits())
			v.SetInt(n)
			return err == nil
		case v.CanUint():
			n, err := strconv.ParseUint(string(value), 10, v.Type().Bits())
			v.SetUint(n)
			return err == nil
		case v.CanFloat():
			x, err := strconv.ParseFloat(string(value), v.Type().Bits())
			v.SetFloat(x)
			return err == nil
		}
	}
	return false
}

// field is a field of a struct by its name in JSON.
type field struct {
	name      string
	index     []int
	omitEmpty bool
}

// known are structs' fields, by their types: a stream's every message is one.
var known sync.Map

func fieldsOf(t reflect.Type) []field {
	list, ok := known.Load(t)
	if !ok {
		list, _ = known.LoadOrStore(t, listFields(t))
	}
	return list.([]field)
}

// listFields lists a struct's fields, with those of structs that are embedded without a name of their own: a field of the outer struct
// hides theirs.
func listFields(t reflect.Type) []field {
	var own, inner []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		of := f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch {
		case name == "-" || !f.IsExported() && !(f.Anonymous && of.Kind() == reflect.Struct):
		case f.Anonymous && name == "" && of.Kind() == reflect.Struct:
			for _, sub := range listFields(of) {
				sub.index = append([]int{i}, sub.index...)
				inner = append(inner, sub)
			}
		default:
			if name == "" {
				name = f.Name
			}
			own = append(own, field{name, []int{i}, options == "omitempty"})
		}
	}
	for _, f := range inner {
		hidden := false
		for _, o := range own {
			hidden = hidden || o.name == f.name
		}
		if !hidden {
			own = append(own, f)
		}
	}
	return own
}

// given names a value that a Go type does not take: a number by its digits where another number is wanted.
func given(value any, t reflect.Type) string {
	switch value := value.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case *Object:
		return "an object"
	case Number:
		if v := reflect.Zero(t); v.CanInt() || v.CanUint() || v.CanFloat() {
			return string(value)
		}
		return "a number"
	}
	return "null"
}

// wanted names what a Go type takes.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := reflect.Zero(t); {
	case v.CanInt():
		return "a whole number"
	case v.CanUint():
		return "a whole number from 0 on"
	case v.CanFloat():
		return "a number"
	case v.Kind() == reflect.String:
		return "text"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return "a list of texts"
	case v.Kind() == reflect.Slice && reflect.Zero(t.Elem()).CanInt():
		return "a list of whole numbers"
	case v.Kind() == reflect.Slice:
		return "a list"
	}
	return "an object"
}
