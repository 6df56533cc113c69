package openai

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"quire/engine/json"
)

// reader reads a body. It keeps the first thing that is wrong, and says what of it means nothing here.
type reader struct {
	err      *Error
	warnings []string
}

// fields are an object's, at a path of the body.
type fields struct {
	r      *reader
	path   string
	object *json.Object
	asked  []bool
}

// read reads a body, which must be an object.
func (r *reader) read(body []byte) *fields {
	value, err := json.Parse(body)
	if err != nil {
		r.fail(&Error{Status: 400, Message: "The request's body cannot be read: " + err.Error() + ".", Type: typeInvalid, Code: "invalid_json"})
	}
	return r.fields(value, "")
}

func (r *reader) fail(err *Error) {
	if r.err == nil {
		r.err = err
	}
}

// maxWarnings is how many there are before the rest is only counted.
const maxWarnings = 16

func (r *reader) warn(format string, a ...any) {
	if len(r.warnings) < maxWarnings {
		r.warnings = append(r.warnings, fmt.Sprintf(format, a...))
	} else if len(r.warnings) == maxWarnings {
		r.warnings = append(r.warnings, "there is more of this kind")
	}
}

// check fails at the first value that is out of its range.
func (r *reader) check(c *checker) {
	if c.err != nil {
		r.fail(c.err)
	}
}

// wrong says that a value is not of the kind that a path wants.
func (r *reader) wrong(path string, value any, want string) {
	if path == "" {
		r.fail(invalid("", "invalid_type", "The body is %s, it must be %s.", kindOf(value), want))
		return
	}
	r.fail(invalid(path, "invalid_type", "%q is %s, it must be %s.", path, kindOf(value), want))
}

// fields gives an object's; what is none is wrong, and gives none.
func (r *reader) fields(value any, path string) *fields {
	o, ok := value.(*json.Object)
	if !ok {
		r.wrong(path, value, "an object")
		o = &json.Object{}
	}
	return &fields{r: r, path: path, object: o, asked: make([]bool, len(o.Names))}
}

// done notes the names that nobody asked for.
func (f *fields) done() {
	for i, name := range f.object.Names {
		if !f.asked[i] && f.object.Values[i] != nil {
			f.r.warn("%s is not known and was ignored", quoted(f.at(name)))
		}
	}
}

// at is the path of a name.
func (f *fields) at(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// value gives what stands under a name; nil where there is nothing or null.
func (f *fields) value(name string) (value any) {
	for i, n := range f.object.Names {
		if n == name {
			f.asked[i], value = true, f.object.Values[i]
		}
	}
	return value
}

// skip lets names be that say nothing here.
func (f *fields) skip(names ...string) {
	for _, name := range names {
		f.value(name)
	}
}

// need gives what must stand under a name.
func (f *fields) need(name string) any {
	value := f.value(name)
	if value == nil {
		f.r.fail(missing(f.at(name)))
	}
	return value
}

// needText gives a text that must stand under a name, and may not be empty.
func (f *fields) needText(name string) string {
	text := f.text(name)
	if text == nil || *text == "" {
		f.r.fail(missing(f.at(name)))
		return ""
	}
	return *text
}

func missing(path string) *Error {
	return invalid(path, "missing_required_parameter", "%q is missing.", path)
}

func (f *fields) text(name string) *string {
	switch v := f.value(name).(type) {
	case nil:
		return nil
	case string:
		return &v
	default:
		f.r.wrong(f.at(name), v, "text")
		return nil
	}
}

// textOr is a text, and something else where there is none.
func (f *fields) textOr(name, otherwise string) string {
	if v := f.text(name); v != nil {
		return *v
	}
	return otherwise
}

func (f *fields) flag(name string) *bool {
	switch v := f.value(name).(type) {
	case nil:
		return nil
	case bool:
		return &v
	default:
		f.r.wrong(f.at(name), v, "true or false")
		return nil
	}
}

// is reports whether a flag is set.
func (f *fields) is(name string) bool {
	v := f.flag(name)
	return v != nil && *v
}

func (f *fields) number(name string) *float64 {
	v := f.value(name)
	if v == nil {
		return nil
	}
	x, ok := numberOf(v)
	if !ok {
		f.r.wrong(f.at(name), v, "a number")
		return nil
	}
	return &x
}

func numberOf(value any) (float64, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(string(n), 64)
	return x, err == nil
}

func (f *fields) integer(name string) *int {
	n, ok := f.whole(name)
	if !ok {
		return nil
	}
	i := int(max(math.MinInt32, min(n, math.MaxInt32))) // what is checked later has no larger numbers
	return &i
}

// whole is a whole number of 64 bits.
func (f *fields) whole(name string) (n int64, ok bool) {
	v := f.value(name)
	if v == nil {
		return 0, false
	}
	if n, ok = wholeOf(v); !ok {
		f.r.wrong(f.at(name), v, "a whole number")
	}
	return n, ok
}

func wholeOf(value any) (int64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	if err == nil {
		return n, true
	}
	if errors.Is(err, strconv.ErrRange) {
		if strings.HasPrefix(string(number), "-") {
			return math.MinInt64, true
		}
		return math.MaxInt64, true
	}
	x, err := strconv.ParseFloat(string(number), 64)
	return int64(x), err == nil && x == math.Trunc(x) && math.Abs(x) < 1<<53
}

func (f *fields) list(name string) []any {
	switch v := f.value(name).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		f.r.wrong(f.at(name), v, "a list")
		return nil
	}
}

// inner gives the fields of an object under a name; nil where there is none.
func (f *fields) inner(name string) *fields {
	v := f.value(name)
	if v == nil {
		return nil
	}
	return f.r.fields(v, f.at(name))
}

// texts are a text or a list of texts.
func (f *fields) texts(name string) []string {
	switch v := f.value(name).(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		return f.r.textList(v, f.at(name))
	default:
		f.r.wrong(f.at(name), v, "text or a list of texts")
		return nil
	}
}

func (r *reader) textList(list []any, path string) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		text, ok := v.(string)
		if !ok {
			r.wrong(item(path, i), v, "text")
			return nil
		}
		texts[i] = text
	}
	return texts
}

// ids are token ids.
func (r *reader) ids(list []any, path string) []int32 {
	ids := make([]int32, len(list))
	for i, v := range list {
		n, ok := wholeOf(v)
		if !ok {
			r.wrong(item(path, i), v, "a token id, a whole number")
			return nil
		}
		if n < 0 || n > math.MaxInt32 {
			r.fail(invalid(item(path, i), "invalid_value", "%q is %d, which is no token id.", item(path, i), n))
			return nil
		}
		ids[i] = int32(n)
	}
	return ids
}

// kindOf names a value by its kind.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case *json.Object:
		return "an object"
	}
	return short(fmt.Sprint(value))
}
