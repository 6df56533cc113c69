package sim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// azureColumns are the names that each column may have, in lower case.
var azureColumns = [3][2]string{{"timestamp", "arrival"}, {"contexttokens", "prompt"}, {"generatedtokens", "output"}}

func readAzure(r io.Reader) ([]Request, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, azureError(err)
	}
	columns, err := findColumns(header)
	if err != nil {
		return nil, &LineError{Line: 1, Err: err}
	}
	var requests []Request
	for {
		row, err := in.Read()
		if err == io.EOF {
			return requests, nil
		}
		if err != nil {
			return nil, azureError(err)
		}
		line, _ := in.FieldPos(0)
		request, err := azureRequest(row, columns)
		if err != nil {
			return nil, &LineError{Line: line, Err: err}
		}
		request.Line = line
		requests = append(requests, request)
	}
}

func azureError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &LineError{Line: parse.Line, Err: parse.Err}
	}
	return fmt.Errorf("sim: %w", err)
}

// findColumns gives the places of arrival, prompt and output.
func findColumns(header []string) (at [3]int, err error) {
	for i, names := range azureColumns {
		at[i] = -1
		for c, title := range header {
			title = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(title, "\ufeff")))
			if title == names[0] || title == names[1] {
				at[i] = c
			}
		}
		if at[i] < 0 {
			return at, fmt.Errorf("no column %s or %s: the header must be TIMESTAMP,ContextTokens,GeneratedTokens",
				names[0], names[1])
		}
	}
	return at, nil
}

func azureRequest(row []string, columns [3]int) (r Request, err error) {
	if r.Arrival, err = parseArrival(strings.TrimSpace(row[columns[0]])); err != nil {
		return r, err
	}
	for _, field := range []struct {
		to   *int
		name string
		text string
	}{{&r.Prompt, "ContextTokens", row[columns[1]]}, {&r.Output, "GeneratedTokens", row[columns[2]]}} {
		n, err := strconv.Atoi(strings.TrimSpace(field.text))
		if err != nil {
			return r, fmt.Errorf("%s is %q: no whole number", field.name, field.text)
		}
		if err := checkTokens(field.name, n); err != nil {
			return r, err
		}
		*field.to = n
	}
	return r, nil
}

// epoch keeps dates of our age within the range of a time.Duration.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func parseArrival(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return after(seconds, time.Second)
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			if at.Before(epoch) || at.Year() > 2200 {
				return 0, fmt.Errorf("arrival %q is outside of the years 2000 to 2200", text)
			}
			return at.Sub(epoch), nil
		}
	}
	return 0, fmt.Errorf("arrival %q is neither a date such as 2023-11-16 18:15:46.68 nor a number of seconds", text)
}
