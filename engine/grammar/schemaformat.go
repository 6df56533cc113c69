package grammar

import "strings"

// texts are texts by name: a list, for a map is 400 bytes of the tab's program for each.
type texts [][2]string

func (t texts) of(name string) string {
	for i := range t {
		if t[i][0] == name {
			return t[i][1]
		}
	}
	return ""
}

// formats are the formats that are supported, by the regular expression of their texts.
var formats = texts{
	{"date", date},
	{"time", clock + zone},
	{"date-time", date + `[Tt]` + clock + zone},
	{"duration", `P(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:T` + hours + `)?|T` + hours + `)`},
	{"uuid", `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`},
	{"ipv4", ipv4},
	{"ipv6", ipv6},
	{"hostname", label + `(?:\.` + label + `){0,3}`},
	{"email", atom + `(?:\.` + atom + `){0,4}@` + label + `(?:\.` + label + `){1,3}`},
	{"uri", site + path + tail},
	{"uri-reference", `(?:` + site + path + `|(?:/(?:` + pathByte + `+` + path + `)?)?|` + firstByte + `+` + path + `)` + tail},
	{"json-pointer", `(?:/(?:[^/~]|~[01])*)*`},
}

const (
	// A day that its month has; the 29th of February in leap years.
	date = `(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))` +
		`|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)`
	clock       = `(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?`
	zone        = `(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)`
	hours       = `(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)`
	byte_       = `(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])`
	ipv4        = byte_ + `(?:\.` + byte_ + `){3}`
	label       = `[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*` // two hyphens may begin what is no word (RFC 5891); who lists a name knows
	listedLabel = `[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?`
	atom        = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
	hex16       = `[0-9a-fA-F]{1,4}`

	site      = `[A-Za-z][A-Za-z0-9+.-]{0,30}://` + label + `(?:\.` + label + `){0,3}(?::\d{1,4})?`
	pathByte  = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})`
	firstByte = `(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})` // of a path that begins with no slash: a colon would end a scheme
	path      = `(?:/` + pathByte + `*)*`
	tail      = `(?:\?(?:` + pathByte + `|[/?])*)?(?:#(?:` + pathByte + `|[/?])*)?`
)

// loose are the formats of which not all texts are above, by the regular expression of all texts that may have them.
var loose = texts{
	{"time", `\d\d:\d\d:\d\d[^]*`},
	{"date-time", `\d{4}-\d\d-\d\d[Tt ][^]*`},
	{"duration", `P[^]*`},
	{"hostname", `[A-Za-z0-9.-]+`},
	{"email", `[^]*@[^]*`},
	{"uri", `[A-Za-z][A-Za-z0-9+.-]*:[^]*`},
	{"uri-reference", `[^]*`},
}

var ipv6 = func() string {
	const h = hex16
	last := `(?:` + h + `:` + h + `|` + ipv4 + `)`
	out := `(?:` + h + `:){6}` + last + `|::(?:` + h + `:){5}` + last
	for before := 1; before <= 5; before++ { // groups before ::, at most
		out += `|(?:(?:` + h + `:){0,` + decimal(before-1) + `}` + h + `)?::(?:` + h + `:){` + decimal(5-before) + `}` + last
	}
	return `(?:` + out + `|(?:(?:` + h + `:){0,5}` + h + `)?::` + h + `|(?:(?:` + h + `:){0,6}` + h + `)?::)`
}()

func (r *schemaReader) checkFormat(name, at string) {
	if formats.of(name) == "" {
		fail(at, "the format %q is not supported", name)
	}
}

// shortFormats have parts of at most 63 or 64 characters; so as a whole they have at most 63 here.
const shortFormats, shortFormat = " hostname email ", 63

// formatText is texts of a format, nil for none.
func (c *schemaCompiler) formatText(name string) *nfa { return c.formatOf(name, formats.of(name)) }

// looseText is all texts that may have a format, nil for none.
func (c *schemaCompiler) looseText(name string) *nfa {
	if text := loose.of(name); text != "" {
		return c.formatOf("loose "+name, text)
	}
	return c.formatText(name)
}

func (c *schemaCompiler) formatOf(name, text string) *nfa {
	if name == "" {
		return nil
	}
	n := c.formats[name]
	if n == nil {
		e, _ := parseRegex(text, ecmaDialect, "", c.limits)
		n = flat(e, false, "", c.limits)
		c.formats[name] = n
	}
	return n
}

// validFormat tells whether a text that is written in the schema has a format.
func (c *schemaCompiler) validFormat(s *schema, text string) bool {
	short := strings.Contains(shortFormats, " "+s.format+" ")
	listed := c.formatOf("listed "+s.format, strings.ReplaceAll(formats.of(s.format), label, listedLabel))
	switch {
	case listed.matches(text) && !(short && len(text) > shortFormat):
		return true
	case c.looseText(s.format).matches(text):
		if loose.of(s.format) != "" {
			fail(s.at+"/format", "whether the listed value %q has it is not known", text)
		}
	}
	return false
}
