// Package load asks a server with an OpenAI-shaped API as several clients do at once, and times what comes.
package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"quire/cmd/native/remote"
)

// Plan says what each client asks for, request after request.
type Plan struct {
	URL      string // the API's base, such as http://127.0.0.1:8080/v1
	Key      string // "": none
	Model    string // "": the server's only or first one
	Prompt   int    // tokens of a prompt, random ones that nothing has been computed for
	Gen      int    // tokens of an answer
	Requests int    // of each client
}

// Result is what so many clients saw.
type Result struct {
	Clients         int     `json:"clients"`
	Requests        int     `json:"requests"`
	Tokens          int     `json:"tokens"`            // generated
	TokensPerSecond float64 `json:"tokens_per_second"` // generated, of all clients, from the first request to the last answer's end
	// DecodePerSecond is the speed between answers' first and last tokens, times the clients: what is left when prompts
	// cost nothing.
	DecodePerSecond float64     `json:"decode_tokens_per_second"`
	First           Percentiles `json:"time_to_first_token"`   // from the request
	Each            Percentiles `json:"time_per_output_token"` // after an answer's first, its mean
	Whole           Percentiles `json:"request_latency"`
}

// answer is what one request took.
type answer struct {
	tokens             int
	first, each, whole time.Duration
}

// Run has so many clients ask at once.
func Run(ctx context.Context, p Plan, clients int) (*Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = clients
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var mu sync.Mutex
	var all []answer
	var group sync.WaitGroup
	begin := time.Now()
	for range clients {
		group.Go(func() {
			for range p.Requests {
				a, err := p.ask(ctx, client)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				all = append(all, a)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return summary(all, clients, time.Since(begin)), nil
}

// ask sends one request and reads its stream.
func (p Plan) ask(ctx context.Context, client *http.Client) (a answer, err error) {
	ids := make([]int, p.Prompt)
	for i := range ids {
		ids[i] = 100 + rand.IntN(800) // ordinary tokens of nearly every vocabulary
	}
	body, err := json.Marshal(map[string]any{
		"model": p.Model, "prompt": ids, "max_tokens": p.Gen, "ignore_eos": true, "temperature": 0, "stream": true,
		"stream_options": map[string]bool{"include_usage": true},
	})
	if err != nil {
		return a, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.URL, "/")+"/completions", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/json")
	if p.Key != "" {
		r.Header.Set("Authorization", "Bearer "+p.Key)
	}
	begin := time.Now()
	reply, err := client.Do(r)
	if err != nil {
		return a, fmt.Errorf("%s: %s", p.URL, remote.Unanswered(err))
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(reply.Body, 4096))
		return a, fmt.Errorf("the server answers %s: %s", reply.Status, reason(text))
	}
	return a, a.read(reply.Body, begin)
}

// event is what is looked at of a stream's events.
type event struct {
	Choices []struct {
		Text string `json:"text"`
	} `json:"choices"`
	Usage *struct {
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// read reads a stream to its end.
func (a *answer) read(body io.Reader, begin time.Time) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	var first, last time.Time
	done := false
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		data = bytes.TrimSpace(data)
		switch {
		case !ok:
			continue
		case string(data) == "[DONE]":
			done = true
			continue
		}
		now := time.Now()
		var e event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("the server sends an event that is not JSON: %w", err)
		}
		if len(e.Error) > 0 && string(e.Error) != "null" {
			return errors.New("the server ends a stream: " + reason(data))
		}
		if e.Usage != nil {
			a.tokens = e.Usage.Completion
		}
		if len(e.Choices) > 0 {
			if first.IsZero() {
				first = now
			}
			last = now
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return errors.New("the server sends an event of more than 1 MiB")
	case err != nil, !done, first.IsZero():
		return errors.New("a stream ended before its end")
	case a.tokens == 0:
		return errors.New("the server does not count tokens (stream_options.include_usage)")
	}
	a.first, a.whole = first.Sub(begin), time.Since(begin)
	a.each = last.Sub(first) / time.Duration(max(1, a.tokens-1))
	return nil
}

// reason is the message of an error's body, or the body.
func reason(body []byte) string {
	var e struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) == nil && e.Error.Message != "" {
		return e.Error.Message
	}
	return strings.TrimSpace(string(body))
}
