//go:build !js

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

const slowest = 20

// event is one line of go test -json (see "go doc test2json").
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// counts are tests, subtests included.
type counts struct{ passed, failed, skipped int }

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// timed is a test and how long it ran.
type timed struct {
	suite, name string
	seconds     float64
}

// summary gathers the events of all suites.
type summary struct {
	out    io.Writer
	suites []string
	counts map[string]*counts
	tests  []timed
	lines  []string // one a package
	skips  []string // one a skipped test, with its reason

	suite   string
	held    map[string][]string // output by package and test, until it is known to matter
	failing map[string]bool     // packages with a failed test
}

func (s *summary) begin(suite string) {
	if s.counts == nil {
		s.counts = map[string]*counts{}
	}
	s.suite = suite
	s.suites = append(s.suites, suite)
	s.counts[suite] = &counts{}
	s.held, s.failing = map[string][]string{}, map[string]bool{}
}

// read takes events until the end; what is no event is printed as it is.
func (s *summary) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			var e event
			if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(s.out, line)
			} else {
				s.take(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event) {
	c := s.counts[s.suite]
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "output":
		s.held[key] = append(s.held[key], e.Output)
		return
	case "build-output":
		fmt.Fprint(s.out, e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	switch {
	case e.Action == "fail":
		fmt.Fprint(s.out, strings.Join(s.held[key], ""))
	case e.Action == "skip" && e.Test != "":
		s.skips = append(s.skips, fmt.Sprintf("%s  %s %s: %s", s.suite, e.Package, e.Test, reason(s.held[key])))
	}
	delete(s.held, key)
	if e.Test == "" {
		s.finishPackage(e)
		return
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "fail":
		c.failed++
		s.failing[e.Package] = true
	case "skip":
		c.skipped++
	}
	if !strings.Contains(e.Test, "/") {
		s.tests = append(s.tests, timed{s.suite, e.Package + " " + e.Test, e.Elapsed})
	}
}

// place is where in the source a test said why it was skipped.
var place = regexp.MustCompile(`^\s+\S+\.go:\d+: `)

// reason finds in a skipped test's output why.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if at := place.FindString(line); at != "" {
			return strings.TrimSpace(line[len(at):])
		}
	}
	return "no reason given"
}

// finishPackage writes go test's line of a package; one that failed outside of any test counts as a failure.
func (s *summary) finishPackage(e event) {
	word := map[string]string{"pass": "ok  ", "fail": "FAIL", "skip": "?   "}[e.Action]
	line := fmt.Sprintf("%s\t%s\t%s\t%.1fs", word, s.suite, e.Package, e.Elapsed)
	if e.Action == "skip" {
		line = fmt.Sprintf("%s\t%s\t%s\t[no test files]", word, s.suite, e.Package)
	}
	fmt.Fprintln(s.out, line)
	if e.Action != "skip" {
		s.lines = append(s.lines, line)
	}
	if e.Action == "fail" && !s.failing[e.Package] {
		s.counts[s.suite].failed++
		s.failing[e.Package] = true
	}
}

// end takes the exit of a suite's command: a failure that no event told counts too.
func (s *summary) end(err error) {
	if err != nil && len(s.failing) == 0 {
		line := fmt.Sprintf("FAIL\t%s\t%v", s.suite, err)
		fmt.Fprintln(s.out, line)
		s.lines = append(s.lines, line)
		s.counts[s.suite].failed++
	}
}

func (s *summary) total() counts {
	var t counts
	for _, c := range s.counts {
		t.passed += c.passed
		t.failed += c.failed
		t.skipped += c.skipped
	}
	return t
}

func (s *summary) print() {
	fmt.Fprintf(s.out, "\n== packages\n%s\n", strings.Join(s.lines, "\n"))
	slices.SortStableFunc(s.tests, func(a, b timed) int {
		switch {
		case a.seconds > b.seconds:
			return -1
		case a.seconds < b.seconds:
			return 1
		}
		return 0
	})
	fmt.Fprintf(s.out, "\n== the slowest tests\n")
	for _, t := range s.tests[:min(slowest, len(s.tests))] {
		fmt.Fprintf(s.out, "%8.2fs  %s  %s\n", t.seconds, t.suite, t.name)
	}
	if len(s.skips) > 0 {
		fmt.Fprintf(s.out, "\n== skipped\n%s\n", strings.Join(s.skips, "\n"))
	}
	fmt.Fprintln(s.out, "\n== summary")
	for _, name := range s.suites {
		fmt.Fprintf(s.out, "%s: %v\n", name, *s.counts[name])
	}
	fmt.Fprintln(s.out, s.total())
}
