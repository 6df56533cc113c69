package grammar

import (
	"strings"

	"quire/engine/json"
)

// schema is a schema as it is written.
type schema struct {
	id      int
	at      string  // JSON pointer
	negated *schema // what holds where it does not, once asked for

	boolean bool // it is true or false
	never   bool // it is false

	types    typeSet // 0: not given
	enum     []any
	hasEnum  bool
	ref      *schema
	allOf    []*schema
	anyOf    []*schema
	oneOf    []*schema
	not      *schema
	when     *schema // if
	then     *schema
	otherwis *schema // else

	minimum, maximum, above, below, multipleOf *number

	minLength, maxLength int
	pattern, format      string
	hasPattern           bool

	prefix                   []*schema
	items                    *schema
	minItems, maxItems       int
	contains                 *schema
	minContains, maxContains int
	unique                   bool

	properties         []property
	patterns           []property // by pattern
	additional         *schema
	required           []string
	minNames, maxNames int
	names              *schema
	dependent          []dependency
	dependentSchemas   []property
}

type property struct {
	name   string
	schema *schema
}

type dependency struct {
	name     string
	required []string
}

type typeSet uint8

const (
	typeNull typeSet = 1 << iota
	typeFalse
	typeTrue
	typeInteger  // whole numbers
	typeFraction // other numbers
	typeString
	typeArray
	typeObject

	typeNumber = typeInteger | typeFraction
	typeAny    = typeSet(255)
)

var typeNames = map[string]typeSet{"null": typeNull, "boolean": typeFalse | typeTrue, "integer": typeInteger,
	"number": typeNumber, "string": typeString, "array": typeArray, "object": typeObject}

// annotations say nothing about what is valid.
const annotations = " title description default examples example $comment deprecated readOnly writeOnly $schema $id id $anchor" +
	" $defs definitions $vocabulary contentMediaType contentEncoding contentSchema markdownDescription enumDescriptions "

// schemaReader reads schemas as they are asked for.
type schemaReader struct {
	root    any
	limits  Limits
	known   map[*json.Object]*schema
	yes, no *schema
	list    []*schema
	anchors map[string]found        // by URI
	bases   map[*json.Object]string // by object with a $ref: the URI that it is relative to
	pattern map[string]*nfa
}

type found struct {
	value any
	at    string
}

func newSchemaReader(source string, limits Limits) *schemaReader {
	value, err := json.Parse([]byte(source))
	if err != nil {
		fail("", "%s", err)
	}
	r := &schemaReader{root: value, limits: limits, known: map[*json.Object]*schema{}, anchors: map[string]found{},
		bases: map[*json.Object]string{}, pattern: map[string]*nfa{}}
	r.yes, r.no = r.add("#"), r.add("#")
	r.yes.boolean, r.no.boolean, r.no.never = true, true, true
	r.anchors[""] = found{value, "#"}
	r.index(value, "#", "", 0)
	return r
}

func (r *schemaReader) add(at string) *schema {
	s := &schema{id: len(r.list), at: at, maxLength: unbounded, maxItems: unbounded, maxNames: unbounded,
		minContains: 1, maxContains: unbounded}
	r.list = append(r.list, s)
	return s
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// at reads the schema of a place.
func (r *schemaReader) at(value any, at string) *schema {
	switch v := value.(type) {
	case bool:
		if v {
			return r.yes
		}
		return r.no
	case *json.Object:
		if s := r.known[v]; s != nil {
			return s
		}
		s := r.add(at)
		r.known[v] = s
		r.read(s, v)
		return s
	}
	fail(at, "a schema must be an object, true or false")
	return nil
}

func (r *schemaReader) read(s *schema, o *json.Object) {
	seen := map[string]bool{}
	old := o.At("items")
	_, tuple := old.([]any)
	for i, name := range o.Names {
		at, value := s.at+"/"+escapePointer(name), o.Values[i]
		if seen[name] {
			fail(at, "it is given twice")
		}
		seen[name] = true
		switch name {
		case "type":
			s.types = r.types(value, at)
		case "enum":
			list, ok := value.([]any)
			if !ok || len(list) == 0 {
				fail(at, "it must be a list of values")
			}
			r.values(s, list)
		case "const":
			r.values(s, []any{value})
		case "$ref":
			s.ref = r.resolve(r.text(value, at), r.bases[o], at)
		case "allOf":
			s.allOf = r.schemas(value, at)
		case "anyOf":
			s.anyOf = r.schemas(value, at)
		case "oneOf":
			s.oneOf = r.schemas(value, at)
		case "not":
			s.not = r.at(value, at)
		case "if":
			s.when = r.at(value, at)
		case "then":
			s.then = r.at(value, at)
		case "else":
			s.otherwis = r.at(value, at)
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			r.bound(s, o, name, value, at)
		case "minLength":
			s.minLength = r.count(value, at)
		case "maxLength":
			s.maxLength = r.count(value, at)
		case "pattern":
			s.pattern, s.hasPattern = r.text(value, at), true
			r.compilePattern(s.pattern, at)
		case "format":
			s.format = r.text(value, at)
			r.checkFormat(s.format, at)
		case "prefixItems":
			s.prefix = r.schemas(value, at)
		case "items":
			if tuple { // until draft 2019-09
				s.prefix = r.schemas(value, at)
			} else {
				s.items = r.at(value, at)
			}
		case "additionalItems":
			if tuple {
				s.items = r.at(value, at)
			}
		case "minItems":
			s.minItems = r.count(value, at)
		case "maxItems":
			s.maxItems = r.count(value, at)
		case "contains":
			s.contains = r.at(value, at)
		case "minContains":
			s.minContains = r.count(value, at)
		case "maxContains":
			s.maxContains = r.count(value, at)
		case "uniqueItems":
			on, ok := value.(bool)
			if !ok {
				fail(at, "it must be true or false")
			}
			s.unique = on
		case "properties":
			s.properties = r.map_(value, at)
		case "patternProperties":
			s.patterns = r.map_(value, at)
			for _, p := range s.patterns {
				r.compilePattern(p.name, at)
			}
		case "additionalProperties":
			s.additional = r.at(value, at)
		case "required":
			if _, old := value.(bool); old {
				fail(at, "it must be a list of names")
			}
			s.required = r.texts(value, at)
		case "minProperties":
			s.minNames = r.count(value, at)
		case "maxProperties":
			s.maxNames = r.count(value, at)
		case "propertyNames":
			s.names = r.at(value, at)
		case "dependentRequired", "dependentSchemas", "dependencies":
			r.depend(s, value, at)
		default:
			if !strings.Contains(annotations, " "+name+" ") && !strings.HasPrefix(name, "x-") {
				fail(at, "it is not supported")
			}
		}
	}
}

func (r *schemaReader) types(value any, at string) typeSet {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	set := typeSet(0)
	for _, item := range list {
		name, _ := item.(string)
		t, ok := typeNames[name]
		if !ok {
			fail(at, "it must be null, boolean, integer, number, string, array or object, or a list of them")
		}
		set |= t
	}
	if set == 0 {
		fail(at, "the list is empty")
	}
	return set
}

// values takes the values of enum and const, which hold together.
func (r *schemaReader) values(s *schema, list []any) {
	if !s.hasEnum {
		s.enum, s.hasEnum = list, true
		return
	}
	var both []any
	for _, v := range s.enum {
		for _, w := range list {
			if same(v, w) {
				both = append(both, v)
				break
			}
		}
	}
	s.enum = both
}

func (r *schemaReader) schemas(value any, at string) []*schema {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		fail(at, "it must be a list of schemas")
	}
	out := make([]*schema, len(list))
	for i, item := range list {
		out[i] = r.at(item, at+"/"+decimal(i))
	}
	return out
}

func (r *schemaReader) map_(value any, at string) []property {
	o, ok := value.(*json.Object)
	if !ok {
		fail(at, "it must be an object of schemas")
	}
	out := make([]property, len(o.Names))
	seen := make(map[string]bool, len(o.Names))
	for i, name := range o.Names {
		where := at + "/" + escapePointer(name)
		if seen[name] {
			fail(where, "it is given twice")
		}
		seen[name] = true
		out[i] = property{name, r.at(o.Values[i], where)}
	}
	return out
}

func (r *schemaReader) count(value any, at string) int {
	if n, ok := value.(json.Number); ok {
		if d := readNumber(string(n)); d.whole() && !d.negative && len(d.digits)+d.exponent <= 9 {
			total := 0
			for _, c := range d.digits {
				total = total*10 + int(c-'0')
			}
			for range d.exponent {
				total *= 10
			}
			return total
		}
	}
	fail(at, "it must be a whole number of 0 or more, and below 1,000,000,000")
	return 0
}

func (r *schemaReader) number(value any, at string) *number {
	n, ok := value.(json.Number)
	if !ok {
		fail(at, "it must be a number")
	}
	d := readNumber(string(n))
	if len(d.digits)+abs(d.exponent) > 400 {
		fail(at, "it has too many digits")
	}
	return &d
}

func abs(n int) int { return max(n, -n) }

func (r *schemaReader) bound(s *schema, o *json.Object, name string, value any, at string) {
	if on, old := value.(bool); old && strings.HasPrefix(name, "exclusive") { // draft 4
		if on && name == "exclusiveMinimum" && o.At("minimum") != nil {
			s.above = r.number(o.At("minimum"), at)
		} else if on && o.At("maximum") != nil {
			s.below = r.number(o.At("maximum"), at)
		}
		return
	}
	n := r.number(value, at)
	switch name {
	case "minimum":
		s.minimum = n
	case "maximum":
		s.maximum = n
	case "exclusiveMinimum":
		s.above = n
	case "exclusiveMaximum":
		s.below = n
	default:
		if n.negative || n.zero() {
			fail(at, "it must be over 0")
		}
		s.multipleOf = n
	}
}

func (r *schemaReader) text(value any, at string) string {
	text, ok := value.(string)
	if !ok {
		fail(at, "it must be a text")
	}
	return text
}

func (r *schemaReader) texts(value any, at string) []string {
	list, ok := value.([]any)
	if !ok {
		fail(at, "it must be a list of names")
	}
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = r.text(item, at+"/"+decimal(i))
	}
	return out
}

func (r *schemaReader) depend(s *schema, value any, at string) {
	o, ok := value.(*json.Object)
	if !ok {
		fail(at, "it must be an object")
	}
	for i, name := range o.Names {
		where := at + "/" + escapePointer(name)
		if list, ok := o.Values[i].([]any); ok {
			s.dependent = append(s.dependent, dependency{name, r.texts(list, where)})
		} else {
			s.dependentSchemas = append(s.dependentSchemas, property{name, r.at(o.Values[i], where)})
		}
	}
}

func (r *schemaReader) compilePattern(text, at string) *nfa {
	n := r.pattern[text]
	if n == nil {
		e, _ := parseRegex(text, ecmaDialect, at, r.limits)
		n = flat(e, true, at, r.limits.States)
		r.pattern[text] = n
	}
	return n
}
