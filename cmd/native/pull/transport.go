package pull

import (
	"net/http"
	"net/url"
)

// transport sends a hub's token to the hub, and nowhere else: each request, also one that a redirect asks for, is looked at by itself.
type transport struct {
	hub   Endpoint
	agent string
}

// RoundTrip is http.RoundTripper.
func (t *transport) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Header.Set("User-Agent", t.agent)
	q.Header.Del("Referer")
	if t.hub.token != "" && t.hub.same(q.URL) {
		q.Header.Set("Authorization", "Bearer "+t.hub.token)
	}
	return http.DefaultTransport.RoundTrip(q)
}

// staysAtHome stops at redirects to other hosts: what is asked with HEAD, the hub has said by then.
func staysAtHome(to *http.Request, via []*http.Request) error {
	if len(via) > 10 || !sameHost(to.URL, via[0].URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }
