package hub

import "strings"

// address is an absolute address in parts, as far as hubs tell pages by them. Whoever opens it reads it with more care: package
// net/url would be a large part of the tab's program.
type address struct {
	scheme, user, host string // user with its @; host with its port
	path               string // escaped as it stands
	rest               string // query and fragment
}

// parse reads an address; false means that it is none with a host.
func parse(text string) (address, bool) {
	var a address
	scheme, rest, found := strings.Cut(text, "://")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return a, false
	}
	a.scheme = scheme
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest, a.rest = rest[:end], rest[end:]
	}
	a.host = rest
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		a.host, a.path = rest[:slash], rest[slash:]
	}
	if at := strings.LastIndexByte(a.host, '@'); at >= 0 {
		a.user, a.host = a.host[:at+1], a.host[at+1:]
	}
	return a, a.scheme != "" && a.host != ""
}

func (a address) String() string { return a.scheme + "://" + a.user + a.host + a.path + a.rest }

// is reports whether the host has one of the names, with www. or without.
func (a address) is(names ...string) bool {
	host, _, _ := strings.Cut(strings.ToLower(a.host), ":")
	host = strings.TrimPrefix(host, "www.")
	for _, name := range names {
		if host == name {
			return true
		}
	}
	return false
}

// shown is an address without its password.
func shown(text string) string {
	a, ok := parse(text)
	if !ok {
		return text
	}
	if name, _, secret := strings.Cut(a.user, ":"); secret {
		a.user = name + ":xxxxx@"
	}
	return a.String()
}
