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

	types     typeSet // 0: not given
	enum      []any
	hasEnum   bool
	listed    map[string]bool // the values of enum, once asked for
	ref       *schema
	allOf     []*schema
	anyOf     []*schema
	oneOf     []*schema
	not       *schema
	when      *schema // if
	then      *schema
	otherwise *schema // else

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
	unevaluatedItems         *schema

	properties         []property
	patterns           []property // by pattern
	additional         *schema
	unevaluated        *schema // unevaluatedProperties
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
const annotations = " title description default examples example $comment deprecated readOnly writeOnly $schema $id id $anchor $dynamicAnchor" +
	" $defs definitions $vocabulary contentMediaType contentEncoding contentSchema markdownDescription enumDescriptions discriminator externalDocs xml "

func annotation(name string) bool {
	return !strings.Contains(name, " ") && strings.Contains(annotations, " "+name+" ")
}

// schemaReader reads schemas as they are asked for.
type schemaReader struct {
	root    any
	limits  Limits
	known   map[*json.Object]*schema
	sums    map[*json.Object]sum
	equal   map[sum]*schema
	yes, no *schema
	list    []*schema
	anchors map[string]found                // by URI
	bases   map[*json.Object]string         // by object with a $ref: the URI that it is relative to
	dynamic map[string]int                  // how many schemas have a $dynamicAnchor
	places  map[*json.Object]map[string]int // of names, by object that references go through
	pattern map[string]*nfa
	anys    map[string]*schema
	open    bool // something is said of what is not evaluated
}

type found struct {
	value any
	at    string
}

// newSchemaReader reads a source, whose patterns go to those of others.
func newSchemaReader(source string, limits Limits, patterns map[string]*nfa) *schemaReader {
	value, err := json.Parse([]byte(source))
	if err != nil {
		fail("", "%s", err)
	}
	r := &schemaReader{root: value, limits: limits, known: map[*json.Object]*schema{}, sums: map[*json.Object]sum{},
		equal: map[sum]*schema{}, anchors: map[string]found{},
		bases: map[*json.Object]string{}, places: map[*json.Object]map[string]int{}, dynamic: map[string]int{}, pattern: patterns, anys: map[string]*schema{}}
	r.yes, r.no = r.add("#"), r.add("#")
	r.yes.boolean, r.no.boolean, r.no.never = true, true, true
	r.anchors[""] = found{value, "#"}
	r.index(value, "#", "", "", 0)
	r.sum(value, "")
	if o, ok := value.(*json.Object); ok {
		delete(r.sums, o) // what equals the whole is told of in its own place
	}
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
		sum, shared := r.sums[v]
		s := r.equal[sum]
		if s == nil || !shared {
			s = r.add(at)
			r.equal[sum], r.known[v] = s, s // before it is read, for it may refer to itself
			r.read(s, v)
		}
		r.known[v] = s
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
		case "$dynamicRef":
			s.allOf = append(s.allOf, r.dynamicRef(r.text(value, at), r.bases[o], at))
		case "allOf":
			s.allOf = append(s.allOf, r.schemas(value, at)...)
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
			s.otherwise = r.at(value, at)
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			r.bound(s, o, name, value, at)
		case "minLength":
			s.minLength = r.count(value, at)
		case "maxLength":
			s.maxLength = r.most(value, at)
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
			s.maxItems = r.most(value, at)
		case "contains":
			s.contains = r.at(value, at)
		case "minContains":
			s.minContains = r.count(value, at)
		case "maxContains":
			s.maxContains = r.most(value, at)
		case "uniqueItems":
			on, ok := value.(bool)
			if !ok {
				fail(at, "it must be true or false")
			}
			s.unique = on
		case "properties":
			s.properties = r.named(value, at)
		case "patternProperties":
			s.patterns = r.named(value, at)
			for _, p := range s.patterns {
				r.compilePattern(p.name, at+"/"+escapePointer(p.name))
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
			s.maxNames = r.most(value, at)
		case "unevaluatedProperties":
			s.unevaluated, r.open = r.at(value, at), true
		case "unevaluatedItems":
			s.unevaluatedItems, r.open = r.at(value, at), true
		case "propertyNames":
			s.names = r.at(value, at)
		case "dependentRequired", "dependentSchemas", "dependencies":
			r.depend(s, value, at)
		default:
			if !annotation(name) && !strings.HasPrefix(name, "x-") {
				fail(at, "it is not supported")
			}
		}
	}
}
