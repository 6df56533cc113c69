package openai

import (
	"context"
	"errors"
	"fmt"

	"quire/engine/chat"
	"quire/engine/generation"
	"quire/engine/json"
	"quire/engine/loop"
	"quire/engine/schedule"
	"quire/engine/words"
)

// Error is a refusal or a failure as the reference API tells it.
type Error struct {
	Status  int    // HTTP's
	Message string // a sentence for people
	Type    string // such as "invalid_request_error"
	Param   string // the path of the field that is wrong, such as "messages[2].content[0].type"; "" for none
	Code    string // such as "context_length_exceeded"; "" for none

	header [][2]string // what the answer says beside its body
}

// Error gives the sentence.
func (e *Error) Error() string { return e.Message }

// MarshalJSON writes the reference API's body: {"error": {"message": …, "type": …, "param": …, "code": …}}.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(errorBody{errorFields{e.Message, e.Type, optional(e.Param), optional(e.Code)}})
}

// Answer tells the error, as Handle does.
func (e *Error) Answer() *Answer {
	body, _ := json.Marshal(e)
	return &Answer{Status: e.Status, Header: append([][2]string{contentJSON}, e.header...), Body: body}
}

type errorBody struct {
	Error errorFields `json:"error"`
}

type errorFields struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// The types of errors.
const (
	typeInvalid = "invalid_request_error"
	typeServer  = "server_error"
	typeBusy    = "overloaded_error"
	typeTimeout = "timeout_error"
)

// invalid refuses a request for what a field holds.
func invalid(param, code, format string, a ...any) *Error {
	return &Error{Status: 400, Message: fmt.Sprintf(format, a...), Type: typeInvalid, Param: param, Code: code}
}

// Busy says that a request may succeed later.
func Busy(code, message string) *Error {
	return &Error{Status: 503, Message: message, Type: typeBusy, Code: code, header: [][2]string{{"Retry-After", "1"}}}
}

// unsupported refuses by name what is not done yet.
func unsupported(param, format string, a ...any) *Error {
	return invalid(param, "unsupported_parameter", format, a...)
}

// asError gives any error as the API tells it; prompt names the field that the prompt came from, or the list of several.
func asError(err error, prompt string) *Error {
	var part *partError
	if errors.As(err, &part) {
		prompt = item(prompt, part.request)
	}
	var told *Error
	var template *chat.Error
	switch {
	case errors.As(err, &told):
		return told
	case errors.Is(err, generation.ErrContextTooLong):
		return invalid(prompt, "context_length_exceeded", "%s", words.Error(err))
	case errors.As(err, &template) && !template.Raised:
		return invalid(prompt, "invalid_value", "The model's chat template cannot write this conversation: %s", template.Reason)
	case errors.As(err, &template):
		return invalid(prompt, "invalid_value", "The model's chat template refuses this conversation: %s", template.Reason)
	case errors.Is(err, generation.ErrBadRequest):
		return badRequest(err, prompt)
	case errors.Is(err, schedule.ErrQueueFull):
		return Busy("queue_full", "Too many requests wait already: try again later.")
	case errors.Is(err, loop.ErrClosed):
		return Busy("model_closed", "The model is being unloaded: try again later.")
	case errors.Is(err, generation.ErrDeadline), errors.Is(err, context.DeadlineExceeded):
		return &Error{Status: 408, Message: "The request's deadline has passed before any of the answer came.", Type: typeTimeout, Param: "deadline", Code: "deadline_exceeded",
			header: [][2]string{{"X-Should-Retry", "false"}}} // clients ask again after a 408
	case errors.Is(err, context.Canceled):
		return &Error{Status: 499, Message: "The request was cancelled.", Type: typeInvalid, Code: "request_cancelled"}
	}
	return &Error{Status: 500, Message: words.Error(err), Type: typeServer}
}
