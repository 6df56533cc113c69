package hub

import (
	"net/url"
	"strings"
)

// FileLink gives the address of the file that a hub's page is about; empty where an address is not known as such a page.
func FileLink(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" || strings.Contains(u.Path, "/resolve/") || strings.Contains(u.Path, "/raw/") {
		return ""
	}
	from, to := "/blob/", "/resolve/"
	switch {
	case strings.Contains(u.Path, "/file/view/"): // ModelScope
		from = "/file/view/"
	case isHost(page, "github.com") || strings.Contains(u.Path, "/-/blob/"): // GitHub and GitLab
		to = "/raw/"
	}
	before, after, found := strings.Cut(u.EscapedPath(), from)
	if !found || strings.Trim(before, "/") == "" || after == "" {
		return ""
	}
	u.RawQuery, u.Fragment = "", ""
	link, err := u.Parse(before + to + after)
	if err != nil {
		return ""
	}
	return link.String()
}

func isHost(address string, names ...string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	for _, name := range names {
		if host == name {
			return true
		}
	}
	return false
}
