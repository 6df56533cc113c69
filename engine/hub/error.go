// Package hub knows what can go wrong when a model is fetched over the network, on both hosts, and says it in words of the
// one who asked. It opens no connection itself.
package hub

import (
	"fmt"
	"strings"
)

// Kind names what went wrong.
type Kind string

// The kinds, by the names that JavaScript shows.
const (
	NotFound    Kind = "ErrNotFound"    // 404, 410
	Forbidden   Kind = "ErrForbidden"   // 401, 403
	CORS        Kind = "ErrCORS"        // the server is there, and keeps the file from pages of other origins
	Unreachable Kind = "ErrUnreachable" // refused, no such host, no trusted certificate, no network
	Cut         Kind = "ErrCut"         // the connection ended early, again and again
	Silent      Kind = "ErrSilent"      // no byte came for as long as the limit allows
	Busy        Kind = "ErrBusy"        // 429 and 503, longer than can be waited for
	Server      Kind = "ErrServer"      // any other answer that is of no use
	WebPage     Kind = "ErrWebPage"     // HTML in place of the file
	Encoded     Kind = "ErrEncoded"     // compressed on the way
	Changed     Kind = "ErrChanged"     // another file than at first
	BadAddress  Kind = "ErrBadAddress"  // not an address at all
	Damaged     Kind = "ErrDamaged"     // other bytes than the hub names
)

// Error is why a file could not be fetched.
type Error struct {
	Kind   Kind
	URL    string
	Reason string // what happened, without the address
	Code   string // what a hub calls it (X-Error-Code); empty: nothing
	Said   string // and says about it (X-Error-Message)
	Err    error  // what the host's own library said; not shown
}

// Errorf makes an Error; its address is filled in by who knows it.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// Error gives the address and what happened.
func (e *Error) Error() string { return shown(e.URL) + ": " + e.Reason }

func (e *Error) Unwrap() error { return e.Err }

// Advice says what to do.
func (e *Error) Advice() string {
	switch e.Kind {
	case NotFound, Forbidden, CORS, WebPage, Server:
		if link := FileLink(e.URL); link != "" {
			return "The address is of a page about the file. The file itself is at " + shown(link)
		}
	}
	switch e.Kind {
	case NotFound:
		return "Check the address: the name of the file, its folder, the branch, upper and lower case."
	case Forbidden:
		advice := "It may want a login, a licence that is accepted first, or a fresh link. Download it where you are logged in, and give the file."
		if a, _ := parse(e.URL); a.is("huggingface.co", "hf.co") {
			advice += " Hugging Face also answers so where there is no such repository: check the name."
		}
		return advice
	case CORS:
		return "Its server must send Access-Control-Allow-Origin. Load the file from a server that does, put it beside the page, or download it and give the file."
	case Unreachable:
		return "Check the address and the network, and that the server runs."
	case Cut, Silent:
		return "Try again. If it happens every time, download the file in another way and give the file."
	case Busy:
		return "Try again later, or download the file in another way and give the file."
	case Server:
		return "Try again later, or take the file from another server."
	case WebPage:
		return "Give the address of the .gguf file itself, not of a page about it. Where a page asks for a login, download the file there and give the file."
	case Encoded:
		return "The server must send the file as it is, without Content-Encoding. Download it and give the file, or take it from another server."
	case Changed:
		return "Load it again."
	case Damaged:
		return "Load it again. If it happens every time, ask the model's owner."
	case BadAddress:
		return "An address looks like https://example.org/model.gguf."
	}
	return ""
}

// Status says what an HTTP status means. The statuses that serve a file, 200 and 206, are not among them.
func Status(code int, text string) *Error {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", code, text))
	switch {
	case code == 404 || code == 410:
		return Errorf(NotFound, "there is no such file (HTTP %s)", status)
	case code == 401 || code == 403 || code == 407 || code == 451:
		return Errorf(Forbidden, "the server does not give this file to everyone (HTTP %s)", status)
	case code == 416:
		return Errorf(Server, "the file has no bytes where they were asked for: it is empty, or shorter than it was (HTTP %s)", status)
	case code == 429 || code == 503:
		return Errorf(Busy, "the server is busy (HTTP %s)", status)
	case code >= 500:
		return Errorf(Server, "the server fails (HTTP %s)", status)
	}
	return Errorf(Server, "the server does not send the file (HTTP %s)", status)
}

// Passing says whether an answer of this status may be another one soon.
func Passing(code int) bool { return code == 408 || code == 425 || code == 429 || code >= 500 }
