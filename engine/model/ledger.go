package model

import (
	"fmt"
	"strconv"
	"strings"

	"quire/engine/gguf"
)

// ledger ticks off a file's tensors and its architecture's keys as they are read, so that what nobody read can be
// refused or told by name.
type ledger struct {
	file    *gguf.File
	arch    string
	keys    map[string]bool // whole, such as "llama.block_count"
	tensors map[string]bool
}

func newLedger(f *gguf.File, arch string) *ledger {
	return &ledger{file: f, arch: arch, keys: map[string]bool{}, tensors: map[string]bool{}}
}

// key gives the whole name of an architecture's key, which now counts as read.
func (l *ledger) key(name string) string {
	whole := l.arch + "." + name
	l.keys[whole] = true
	return whole
}

// find finds a tensor, which now counts as read.
func (l *ledger) find(name string) (*gguf.Tensor, bool) {
	l.tensors[name] = true
	return l.file.Tensor(name)
}

// checkKeys goes through the keys that nobody read: those that change what the model computes are refused, unless their
// value changes nothing; of others a warning tells.
func (l *ledger) checkKeys(p *Plan) (warnings []string, refused []error) {
	for whole, v := range l.file.Metadata.All() {
		name, ours := strings.CutPrefix(whole, l.arch+".")
		if !ours || l.keys[whole] {
			continue
		}
		k := unread{name: name, value: v, plan: p, ledger: l}
		switch rule, ok := decisiveRule(name); {
		case !ok:
			warnings = append(warnings, fmt.Sprintf("%s is %s: this version does not know the key and runs without it", whole, shown(v)))
		case !rule(k):
			refused = append(refused, fmt.Errorf("%w: %s is %s, which this version does not compute", ErrUnsupported, whole, shown(v)))
		}
	}
	return warnings, refused
}

// inLayer splits the name of a layer's tensor, such as "blk.0.attn_q.weight", into the layer's digits and the rest.
func inLayer(name string) (layer, rest string, ok bool) {
	after, ok := strings.CutPrefix(name, "blk.")
	layer, rest, found := strings.Cut(after, ".")
	digits := layer != "" && strings.Trim(layer, "0123456789") == ""
	return layer, rest, ok && found && digits && rest != ""
}

// pastLast stands for all tensors of layers that the configuration does not have.
const pastLast = "past the last layer"

// checkTensors refuses the tensors that nobody read; one error stands for the same tensor of all layers.
func (l *ledger) checkTensors(c *Config) (refused []error) {
	type kind struct {
		first string
		count int
	}
	var kinds []*kind
	byName := map[string]*kind{}
	for i := range l.file.Tensors {
		name := l.file.Tensors[i].Name
		if l.tensors[name] {
			continue
		}
		same := name
		if layer, rest, ok := inLayer(name); ok {
			same = rest
			if n, err := strconv.Atoi(layer); err != nil || n >= c.Layers {
				same = pastLast
			}
		}
		k := byName[same]
		if k == nil {
			k = &kind{first: name}
			byName[same] = k
			kinds = append(kinds, k)
		}
		k.count++
	}
	for _, k := range kinds {
		switch {
		case byName[pastLast] == k:
			refused = append(refused, fmt.Errorf("%w: tensor %s belongs to a layer past %s.block_count, which is %d",
				ErrUnsupported, k.first, l.arch, c.Layers))
		case k.count > 1:
			refused = append(refused, fmt.Errorf("%w: tensor %s (and %d more of the kind) is part of the model, and this version does not compute it",
				ErrUnsupported, k.first, k.count-1))
		default:
			refused = append(refused, fmt.Errorf("%w: tensor %s is part of the model, and this version does not compute it", ErrUnsupported, k.first))
		}
	}
	return refused
}

// shown writes a value for an error: text in quotes, short arrays whole.
func shown(v gguf.Value) string {
	const most = 60
	text := v.String()
	switch {
	case v.Type == gguf.String:
		text = fmt.Sprintf("%q", text)
	case v.Type == gguf.Array && v.Len() <= 8:
		text = fmt.Sprint(v.Any())
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
