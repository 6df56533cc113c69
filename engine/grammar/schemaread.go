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

	types      typeSet // 0: not given
	possible   typeSet // what its values may be, see typesOf
	typesKnown bool
	enum       []any
	hasEnum    bool
	listed     map[string]bool // the values of enum, once asked for
	ref        *schema
	allOf      []*schema
	anyOf      []*schema
	oneOf      []*schema
	not        *schema
	when       *schema // if
	then       *schema
	otherwise  *schema // else

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
	byName             map[string]goal // their schemas, once asked for
	patterns           []property      // by pattern
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

// typeNamed is the types of a name, 0 for none.
func typeNamed(name string) typeSet {
	switch name {
	case "null":
		return typeNull
	case "boolean":
		return typeFalse | typeTrue
	case "integer":
		return typeInteger
	case "number":
		return typeNumber
	case "string":
		return typeString
	case "array":
		return typeArray
	case "object":
		return typeObject
	}
	return 0
}

// annotation tells of a keyword that it says nothing about what is valid.
func annotation(name string) bool {
	switch name {
	case "title", "description", "default", "examples", "example", "$comment", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "id",
		"$anchor", "$dynamicAnchor", "$defs", "definitions", "$vocabulary", "contentMediaType", "contentEncoding", "contentSchema",
		"markdownDescription", "enumDescriptions", "discriminator", "externalDocs", "xml":
		return true
	}
	return false
}

// holdsSchemas tells of an annotation that references may go to what it holds.
func holdsSchemas(name string) bool { return name == "$defs" || name == "definitions" }

// hasNames tells of a keyword that the names in its object are no keywords.
func hasNames(keyword string) bool {
	switch keyword {
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies":
		return true
	}
	return false
}

// schemaReader reads schemas as they are asked for.
type schemaReader struct {
	root    any
	limits  *budget
	known   map[*json.Object]*schema
	shared  map[*json.Object]int32 // its number, see share
	equal   map[int32]*schema      // by number
	alike   map[string]int32       // numbers of what is numbered
	key     []byte                 // of what is numbered
	parts   []int32                // numbers of what it holds
	yes, no *schema
	list    []*schema
	anchors map[string]*found               // by URI
	bases   map[*json.Object]string         // by object with a $ref: the URI that it is relative to
	dynamic map[string]int                  // how many schemas have a $dynamicAnchor
	places  map[*json.Object]map[string]int // of names, by object that references go through
	pattern map[string]*nfa
	anys    map[string]*schema // see any, and only
	bounds  map[string]*dfa    // numbers, by what bounds them
	bounded map[string]*expr   // what they are, by all that does
	open    bool               // something is said of what is not evaluated
}

type found struct {
	value any
	at    string
	other *found // that has its name, and must say the same
}

// newSchemaReader reads a source, whose patterns go to those of others.
func newSchemaReader(source string, limits *budget, patterns map[string]*nfa) *schemaReader {
	value, err := json.Parse([]byte(source))
	if err != nil {
		fail("", "%s", err)
	}
	(&halves{source: source}).refuse(value, "", false)
	r := &schemaReader{root: value, limits: limits, known: map[*json.Object]*schema{}, shared: map[*json.Object]int32{},
		equal: map[int32]*schema{}, alike: map[string]int32{}, anchors: map[string]*found{},
		bases: map[*json.Object]string{}, places: map[*json.Object]map[string]int{}, dynamic: map[string]int{}, pattern: patterns, anys: map[string]*schema{},
		bounds: map[string]*dfa{}, bounded: map[string]*expr{}}
	r.yes, r.no = r.add("#"), r.add("#")
	r.yes.boolean, r.no.boolean, r.no.never = true, true, true
	r.anchors[""] = &found{value: value, at: "#"}
	r.index(value, "#", "", "", 0)
	r.share(value, "")
	r.alike, r.parts = nil, nil
	return r
}

func (r *schemaReader) add(at string) *schema {
	r.limits.spend(80, at)
	s := &schema{id: len(r.list), at: at, maxLength: unbounded, maxItems: unbounded, maxNames: unbounded,
		minContains: 1, maxContains: unbounded}
	r.list = append(r.list, s)
	return s
}

// longPointer is from what length on a pointer leaves out its middle: names and places may come many times.
const longPointer = 300

// below is the JSON pointer of what has a name in what another points at.
func below(at, name string) string {
	name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	if len(name) > longPointer/3 {
		name = strings.ToValidUTF8(name[:longPointer/3], "") + "…"
	}
	if len(at)+len(name) > longPointer {
		at = strings.ToValidUTF8(at[:longPointer/3], "") + "…"
	}
	return at + "/" + name
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
		n, shared := r.shared[v]
		shared = shared && r.root != any(v) // what equals the whole is told of in its own place
		s := r.equal[n]
		if s == nil || !shared {
			s = r.add(at)
			if r.known[v] = s; shared { // before it is read, for it may refer to itself
				r.equal[n] = s
			}
			r.read(s, v)
		}
		r.known[v] = s
		return s
	}
	fail(at, "a schema must be an object, true or false")
	return nil
}

func (r *schemaReader) read(s *schema, o *json.Object) {
	r.limits.spend(20, s.at)
	old := o.At("items")
	_, tuple := old.([]any)
	for i, name := range o.Names {
		at, value := below(s.at, name), o.Values[i]
		if r.twice(o, i) {
			fail(at, "it is given twice")
		}
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
			} else if o.At("prefixItems") != nil {
				fail(at, "it says nothing beside prefixItems: what follows those is items")
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
				r.compilePattern(p.name, below(at, p.name))
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
			r.depend(s, name, value, at)
		default:
			if !annotation(name) && !strings.HasPrefix(name, "x-") {
				fail(at, "it is not supported")
			}
		}
	}
}
