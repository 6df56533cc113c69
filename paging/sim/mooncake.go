package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// mooncakeLine has pointers where a missing field is an error.
type mooncakeLine struct {
	Timestamp *float64 `json:"timestamp"` // milliseconds
	Input     *int     `json:"input_length"`
	Output    *int     `json:"output_length"`
	Hashes    []int64  `json:"hash_ids"`
}

func readMooncake(r io.Reader) ([]Request, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), longestLine)
	numbers := map[int64]int32{} // of hashes, in order of appearance
	var requests []Request
	line := 1
	for ; in.Scan(); line++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		request, err := mooncakeRequest(in.Bytes(), numbers)
		if err != nil {
			return nil, &LineError{Line: line, Err: err}
		}
		request.Line = line
		requests = append(requests, request)
	}
	if err := in.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, &LineError{Line: line, Err: fmt.Errorf("longer than %d bytes", longestLine)}
	} else if err != nil {
		return nil, fmt.Errorf("sim: after line %d: %w", line-1, err)
	}
	return requests, nil
}

func mooncakeRequest(text []byte, numbers map[int64]int32) (Request, error) {
	var l mooncakeLine
	if err := json.Unmarshal(text, &l); err != nil {
		return Request{}, jsonError(err)
	}
	if l.Timestamp == nil || l.Input == nil || l.Output == nil {
		return Request{}, errors.New("timestamp, input_length or output_length is missing")
	}
	for name, n := range map[string]int{"input_length": *l.Input, "output_length": *l.Output} {
		if err := checkTokens(name, n); err != nil {
			return Request{}, err
		}
	}
	arrival, err := after(*l.Timestamp, time.Millisecond)
	if err != nil {
		return Request{}, err
	}
	if spans := (*l.Input + HashSpan - 1) / HashSpan; len(l.Hashes) > spans {
		return Request{}, fmt.Errorf("%d hash_ids for %d tokens: one for each %d tokens is the most",
			len(l.Hashes), *l.Input, HashSpan)
	}
	r := Request{Arrival: arrival, Prompt: *l.Input, Output: *l.Output}
	for _, h := range l.Hashes {
		number, ok := numbers[h]
		if !ok {
			number = int32(len(numbers))
			numbers[h] = number
		}
		r.Hashes = append(r.Hashes, number)
	}
	return r, nil
}

// jsonError says in a user's words what a field of a line should be.
func jsonError(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err
	}
	wanted := "a whole number"
	switch kind.Field {
	case "timestamp":
		wanted = "a number"
	case "hash_ids":
		wanted = "a list of whole numbers"
	}
	return fmt.Errorf("field %q is a %s, it must be %s", kind.Field, kind.Value, wanted)
}
