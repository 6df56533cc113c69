package pull

import (
	"net/http"
	"net/url"
	"time"
)

// transport sends a hub's token to the hub, and nowhere else: each request, also one that a redirect asks for, is looked at by itself.
type transport struct {
	hub   Endpoint
	agent string
	to    http.RoundTripper
}

// connections are one for each request at a time: over HTTP/2 all would share one, with what it loses and its window.
func connections(most int) *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: most,
		Protocols: new(http.Protocols)}
	t.Protocols.SetHTTP1(true)
	return t
}

// RoundTrip is http.RoundTripper.
func (t *transport) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Header.Set("User-Agent", t.agent)
	q.Header.Del("Referer")
	if t.hub.token != "" && t.hub.same(q.URL) {
		q.Header.Set("Authorization", "Bearer "+t.hub.token)
	}
	return t.to.RoundTrip(q)
}

// staysAtHome stops at redirects to other hosts: what is asked with HEAD, the hub has said by then.
func staysAtHome(to *http.Request, via []*http.Request) error {
	if len(via) > 10 || !sameHost(to.URL, via[0].URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }
