package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quire/engine/hub"
)

// failure is an error of the network; a final one would not be mended by a new attempt.
type failure struct {
	told  *hub.Error
	final bool
	after time.Duration // how long the server asks to be left alone
}

func (e *failure) Error() string { return e.told.Reason }

func passing(kind hub.Kind, format string, args ...any) error {
	return &failure{told: hub.Errorf(kind, format, args...)}
}

func final(kind hub.Kind, format string, args ...any) error {
	return &failure{told: hub.Errorf(kind, format, args...), final: true}
}

// checkAddress finds addresses that cannot be asked for.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err == nil && u.Port() != "" {
		_, err = strconv.ParseUint(u.Port(), 10, 16)
	}
	if err == nil && u.Hostname() != "" {
		return nil
	}
	return &hub.Error{Kind: hub.BadAddress, URL: address, Reason: "this is not a whole address", Err: err}
}

// Redirects that are not followed.
var (
	errCircles   = errors.New("too many redirects")
	errElsewhere = errors.New("a redirect that cannot be followed")
)

// withRedirects makes redirects that lead nowhere errors that can be told from others.
func withRedirects(c *http.Client) *http.Client {
	if c.CheckRedirect != nil {
		return c
	}
	own := *c
	own.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		switch {
		case len(via) >= 10:
			return errCircles
		case to.URL.Scheme != "http" && to.URL.Scheme != "https", checkAddress(to.URL.String()) != nil:
			return errElsewhere
		}
		return nil
	}
	return &own
}

// Unanswered says in a user's words why a request that another package made got no answer.
func Unanswered(err error) string { return explain(err).Error() }

// explain says in a user's words why a request got no answer.
func explain(err error) error {
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	var timeout net.Error
	var number syscall.Errno
	failed := func(kind hub.Kind, final bool, format string, args ...any) error {
		e := hub.Errorf(kind, format, args...)
		e.Err = err
		return &failure{told: e, final: final}
	}
	switch {
	case errors.Is(err, errCircles):
		return failed(hub.Server, true, "the server redirects from one address to the next without an end")
	case errors.Is(err, errElsewhere):
		return failed(hub.Server, true, "the server redirects to an address that cannot be asked for")
	case errors.As(err, &dns) && dns.IsNotFound:
		return failed(hub.Unreachable, true, "there is no host called %s", dns.Name)
	case errors.As(err, &dns):
		return failed(hub.Unreachable, false, "the name of the host %s could not be looked up", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed(hub.Unreachable, false, "the server refuses connections: it does not run, or not at this port")
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return failed(hub.Unreachable, true, "the server does not speak https at this port; try http://")
	case errors.As(err, &name):
		return failed(hub.Unreachable, true, "the server's certificate is for another host")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return failed(hub.Unreachable, true, "the server's certificate has expired, or this machine's clock is wrong")
	case errors.As(err, &certificate):
		return failed(hub.Unreachable, true, "the server's certificate is not one that this machine trusts")
	case errors.As(err, &alert):
		return failed(hub.Unreachable, true, "the server and this program agree on no way of encryption")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return passing(hub.Cut, "the server closed the connection without an answer")
	case errors.As(err, &timeout) && timeout.Timeout():
		return failed(hub.Unreachable, false, "the server did not answer in time")
	case errors.As(err, &number):
		return failed(hub.Unreachable, false, "the server cannot be reached: %v", number)
	}
	return failed(hub.Unreachable, false, "the server gave no valid answer")
}

// refuse says what a status that serves no file means, and whether and when to ask again.
func refuse(r *http.Response) error {
	e := &failure{told: hub.Status(r.StatusCode, http.StatusText(r.StatusCode)), final: !hub.Passing(r.StatusCode)}
	e.told.Code, e.told.Said = r.Header.Get("X-Error-Code"), r.Header.Get("X-Error-Message")
	if r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable {
		e.after = retryAfter(r.Header.Get("Retry-After"), time.Now())
	}
	return e
}

// retryAfter reads how long a server asks to wait: seconds, or a date. Nothing that can be understood is 0.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
