package http

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/rs/cors"

	"quire/engine/openai"
)

// guard refuses what a page of somebody else's may have sent: requests under a name that is not the server's, which is how a page
// reaches a server on its visitor's machine by DNS, and requests with a foreign origin.
func (h *Handler) guard(r *http.Request) *openai.Error {
	if len(h.Hosts) > 0 && r.Host != "" && !named(r.Host, h.Hosts) {
		return invalid(http.StatusForbidden, "host_not_allowed", fmt.Sprintf("This server does not go by the name %q; --allow-host adds a name.", r.Host))
	}
	for _, origin := range r.Header.Values("Origin") {
		if origin != "" && !h.allowed(r, origin) {
			return invalid(http.StatusForbidden, "origin_not_allowed", fmt.Sprintf("Pages of %q may not call this server; --cors lists those that may.", origin))
		}
	}
	return nil
}

// Loopback are the names of a machine for itself.
var Loopback = []string{"localhost", "*.localhost", "127.0.0.0/8", "::1"}

// named says whether a Host header is in a list of names, of "*." with a domain, and of addresses and their ranges.
func named(host string, list []string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	address, err := netip.ParseAddr(name)
	return slices.ContainsFunc(list, func(entry string) bool {
		entry = strings.TrimSuffix(strings.ToLower(entry), ".")
		if prefix, bad := netip.ParsePrefix(entry); bad == nil {
			return err == nil && prefix.Contains(address.Unmap())
		}
		if one, bad := netip.ParseAddr(entry); bad == nil { // which may be written in several ways
			return err == nil && one.Unmap() == address.Unmap()
		}
		if domain, ok := strings.CutPrefix(entry, "*"); ok && domain != "" {
			return strings.HasSuffix(name, domain)
		}
		return entry == "*" || entry == name
	})
}

// allowed says whether a page's origin is the server's own, or one that may call.
func (h *Handler) allowed(r *http.Request, origin string) bool {
	if slices.Contains(h.Origins, "*") || slices.ContainsFunc(h.Origins, func(o string) bool { return strings.EqualFold(strings.TrimSuffix(o, "/"), origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || u.Scheme == "https")
}

// newCORS writes the headers with which browsers let pages read answers.
func newCORS(allowed func(*http.Request, string) bool) *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) { return allowed(r, origin), nil },
		AllowedMethods:             []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders:             []string{"*"},
		ExposedHeaders:             []string{"*"},
		MaxAge:                     600,
		AllowPrivateNetwork:        true,
		OptionsSuccessStatus:       http.StatusNoContent,
	})
}
