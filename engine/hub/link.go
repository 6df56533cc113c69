package hub

import "strings"

// FileLink gives the address of the file that a hub's page is about; empty where an address is not known as such a page.
func FileLink(page string) string {
	a, ok := parse(page)
	if !ok || strings.Contains(a.path, "/resolve/") || strings.Contains(a.path, "/raw/") {
		return ""
	}
	from, to := "/blob/", "/resolve/"
	switch {
	case strings.Contains(a.path, "/file/view/"): // ModelScope
		from = "/file/view/"
	case a.is("github.com") || strings.Contains(a.path, "/-/blob/"): // GitHub and GitLab
		to = "/raw/"
	}
	before, after, found := strings.Cut(a.path, from)
	if !found || strings.Trim(before, "/") == "" || after == "" {
		return ""
	}
	a.path, a.rest = before+to+after, ""
	return a.String()
}
