//go:build !js

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// peer is what one reported. Rates are tokens a second, by test: "pp512", or "tg128 x 8" of eight sequences at once, all together.
type peer struct {
	Name     string               `json:"name"`
	Version  string               `json:"version,omitempty"`
	Adapter  string               `json:"adapter,omitempty"`
	Features []string             `json:"features,omitempty"`
	Refused  string               `json:"refused,omitempty"` // why nothing was measured
	Open     float64              `json:"open_ms,omitempty"`
	First    float64              `json:"first_ms,omitempty"` // to the first token, of a prompt of 16
	Rates    map[string]float64   `json:"rates"`
	Samples  map[string][]float64 `json:"samples,omitempty"` // what rates are the medians of
	Errors   map[string]string    `json:"errors,omitempty"`
}

// table is a run of all.
type table struct {
	Shape    string  `json:"shape"`
	Command  string  `json:"command"`
	Matrices bool    `json:"matrices"` // pages could have subgroup matrices
	Prompts  []int   `json:"prompts"`
	Lanes    []int   `json:"lanes"`
	Gen      int     `json:"gen"`
	Peers    []peer  `json:"peers"`
	Ratios   []ratio `json:"ratios"`
}

// ratio is Quire's rate over a peer's, on the same host.
type ratio struct {
	Test  string  `json:"test"`
	Peer  string  `json:"peer"`
	Ratio float64 `json:"ratio"`
}

// host is what a peer is compared with.
func host(name string) string {
	if name == "llama.cpp" {
		return "quire-native"
	}
	return "quire"
}

func (t *table) tests() (all []string) {
	for _, n := range t.Prompts {
		all = append(all, fmt.Sprintf("pp%d", n))
	}
	for _, n := range t.Lanes {
		all = append(all, fmt.Sprintf("tg%d x %d", t.Gen, n))
	}
	return all
}

func (t *table) rate(name, test string) float64 {
	for _, p := range t.Peers {
		if p.Name == name && p.Refused == "" {
			return p.Rates[test]
		}
	}
	return 0
}

// compare fills the ratios in.
func (t *table) compare() {
	t.Ratios = []ratio{}
	for _, test := range t.tests() {
		for _, p := range t.Peers {
			if ours, theirs := t.rate(host(p.Name), test), t.rate(p.Name, test); host(p.Name) != p.Name && p.Name != "quire-native" && ours > 0 && theirs > 0 {
				t.Ratios = append(t.Ratios, ratio{test, p.Name, ours / theirs})
			}
		}
	}
}

// markdown is the table: tokens a second, and how many times a peer's Quire's are.
func (t *table) markdown() string {
	t.compare()
	ratios := map[string]float64{}
	for _, r := range t.Ratios {
		ratios[r.Test+"|"+r.Peer] = r.Ratio
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s in 4 bits, tokens/s (×: Quire's of the same host over it)\n\n| |", t.Shape)
	for _, p := range t.Peers {
		fmt.Fprintf(&b, " %s |", p.Name)
	}
	fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("---:|", len(t.Peers)))
	row := func(name string, cell func(p *peer) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for i := range t.Peers {
			text := "–"
			if t.Peers[i].Refused == "" {
				text = cell(&t.Peers[i])
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	for _, test := range t.tests() {
		row(test, func(p *peer) string {
			switch r := ratios[test+"|"+p.Name]; {
			case p.Rates[test] == 0:
				return "–"
			case r > 0:
				return fmt.Sprintf("%s (%.2f×)", rateText(p.Rates[test]), r)
			}
			return rateText(p.Rates[test])
		})
	}
	for _, times := range []struct {
		name string
		of   func(p *peer) float64
	}{{"open, ms", func(p *peer) float64 { return p.Open }}, {"first token after it, ms", func(p *peer) float64 { return p.First }}} {
		row(times.name, func(p *peer) string {
			if times.of(p) == 0 {
				return "–"
			}
			return fmt.Sprintf("%.0f", times.of(p))
		})
	}
	b.WriteString("\n")
	for _, p := range t.Peers {
		what := p.Adapter
		if p.Refused != "" {
			what = "refused: " + p.Refused
		}
		fmt.Fprintf(&b, "%s: %s\n", strings.TrimSpace(p.Name+" "+p.Version), what)
		for _, test := range t.tests() {
			if e := p.Errors[test]; e != "" {
				fmt.Fprintf(&b, "  %s: %s\n", test, e)
			}
		}
	}
	return b.String()
}

func rateText(rate float64) string {
	if rate < 100 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}

// write writes both forms.
func (t *table) write(out string) error {
	text := t.markdown()
	data, err := json.MarshalIndent(t, "", " ")
	if err == nil {
		err = os.WriteFile(out+".json", append(data, '\n'), 0o644)
	}
	if err == nil {
		err = os.WriteFile(out+".md", []byte(text), 0o644)
	}
	return err
}
