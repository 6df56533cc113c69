package pull

import (
	"errors"
	"fmt"

	"quire/engine/hub"
)

// Error is why a model cannot be pulled, found or removed.
type Error struct {
	Text string
	Hint string
	Err  error
}

func (e *Error) Error() string { return e.Text }

func (e *Error) Unwrap() error { return e.Err }

// Advice says what to do.
func (e *Error) Advice() string { return e.Hint }

// Which of several things a 401, 403 or 404 of a hub means.
const (
	codeGated      = "GatedRepo"
	codeNoRepo     = "RepoNotFound"
	codeNoFile     = "EntryNotFound"
	codeNoRevision = "RevisionNotFound"
)

// explain says what a hub's refusal means for a name. Where the hub named no code, it tells only from answers of the hub itself.
func (e Endpoint) explain(err error, n Name, itself bool) error {
	var network *hub.Error
	if !errors.As(err, &network) || n.Repo == "" || network.Kind != hub.Forbidden && network.Kind != hub.NotFound {
		return err
	}
	tell := func(hint, format string, args ...any) error {
		return &Error{Text: n.String() + ": " + fmt.Sprintf(format, args...), Hint: hint, Err: err}
	}
	login := fmt.Sprintf("put a token that may read it into HF_TOKEN (%s/settings/tokens), or log in with \"hf auth login\"", e.base)
	refused := network.Kind == hub.Forbidden
	switch {
	case network.Code == codeNoFile:
		return tell(fmt.Sprintf("The files are listed at %s/tree/%s.", e.page(n), n.Revision), "there is no such file in the repository")
	case network.Code == codeNoRevision:
		return tell("Revisions are branches, tags and commits; without one it is main.", "the repository has no revision %s", n.Revision)
	case network.Code == codeGated && e.token == "":
		return tell(fmt.Sprintf("Accept them at %s, then %s.", e.page(n), login), "the owner gives this model only to those who accept the terms")
	case network.Code == codeGated:
		return tell(fmt.Sprintf("Accept them at %s, as the owner of the token in %s.", e.page(n), e.from), "the owner gives this model only to those who accept the terms, and the token's owner is not among them")
	case !itself && network.Code == "":
		return err
	case refused && e.token != "" && network.Code != codeNoRepo:
		return tell(fmt.Sprintf("See what it may do, or make a new one, at %s/settings/tokens. Public models want none.", e.base), "the hub refuses the token in %s (%s)", e.from, network.Reason)
	}
	hint := "Check the name, upper and lower case too."
	if e.token == "" {
		hint += " If it is private, " + login + "."
	} else {
		hint += fmt.Sprintf(" If it is private, the token in %s must be of someone who may read it.", e.from)
	}
	return tell(hint, "%s has no such repository, or does not show it to everyone", e.base.Host)
}
