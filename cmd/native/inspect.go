package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"sort"
	"strings"
	"text/tabwriter"

	"quire/engine/gguf"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/tokenizer"
)

const (
	shownElements = 4  // of a metadata array
	shownText     = 72 // characters of a metadata string
)

type inspectCommand struct {
	File string `arg:"" name:"file" names:"" help:"A GGUF file, hf:owner/repo[:QUANT], or an http(s) address."`
	Ctx  int    `placeholder:"TOKENS" default:"0" help:"Compute the KV cache for a sequence of so many tokens. 0: the model's context."`
	Mem  size   `name:"memory" placeholder:"SIZE" help:"Say how long a sequence may be in so much GPU memory, such as 8GiB, beside the weights."`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*inspectCommand) Help() string {
	return `Reads a file's header, of a model that is not pulled yet over the network, and shows its metadata (long values shortened), its tensors, the GPU memory that weights and KV cache need,
what of the file is not used, and what would not run and why.

Examples:

  quire inspect model.gguf
  quire inspect hf:owner/repo-GGUF:Q8_0
  quire inspect https://example.org/model.gguf --json`
}

// Run runs the command.
func (c *inspectCommand) Run(h *host) error {
	ctx, stop := interruptible()
	defer stop()
	file, header, err := openHeader(ctx, c.File, h.err)
	if err != nil {
		return interrupted(ctx, h, err)
	}
	defer file.Close()
	r := inspect(file.name, header, withinModel(h, "inspect", c.Ctx, header))
	r.fit(header, uint64(c.Mem))
	if c.JSON {
		return writeJSON(h.out, r)
	}
	return r.print(h.out)
}

// report is what inspect finds.
type report struct {
	File      string         `json:"file"`
	Version   uint32         `json:"version"`
	Size      int64          `json:"bytes"`
	Alignment uint32         `json:"alignment"`
	Metadata  map[string]any `json:"metadata"`
	Tensors   []tensor       `json:"tensors"`
	Memory    *memory        `json:"memory"` // null where the model does not run
	Problems  []string       `json:"problems"`
	Warnings  []string       `json:"warnings"` // what in the file is not used

	keys []string // of Metadata, in file order
}

type tensor struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Shape  []uint64 `json:"shape"`
	Offset int64    `json:"offset"`
	Bytes  int64    `json:"bytes"`
}

// memory is what the model needs on the GPU, in bytes.
type memory struct {
	Parameters int64            `json:"parameters"`
	Weights    int64            `json:"weights_bytes"`
	KVPerToken map[string]int   `json:"kv_bytes_per_token"` // by KV type
	Context    int              `json:"context"`
	KVCache    map[string]int64 `json:"kv_cache_bytes"`           // of one sequence as long as Context
	State      int64            `json:"state_bytes_per_sequence"` // of layers without K and V, and of each snapshot
	Given      uint64           `json:"memory_bytes,omitempty"`
	Largest    map[string]int   `json:"largest_context,omitempty"` // that fits in Given, by KV type; at most what the model was trained for
}

// array is a metadata array's length and its first elements.
type array struct {
	Type   string `json:"type"`
	Length int    `json:"length"`
	First  []any  `json:"first"`
}

func inspect(name string, header *gguf.File, ctx int) *report {
	r := &report{File: name, Version: header.Version, Size: header.Size, Alignment: header.Alignment,
		Metadata: map[string]any{}, Tensors: []tensor{}, Problems: []string{}, Warnings: []string{}}
	for key, v := range header.Metadata.All() {
		r.keys = append(r.keys, key)
		r.Metadata[key] = shorten(v)
	}
	for _, t := range header.Tensors {
		r.Tensors = append(r.Tensors, tensor{Name: t.Name, Type: t.Type.String(), Shape: t.Shape, Offset: t.Offset, Bytes: t.Bytes})
	}
	r.check(header, ctx)
	return r
}

// check plans the model and reads its vocabulary as loading would.
func (r *report) check(header *gguf.File, ctx int) {
	problem := func(err error) { r.Problems = append(r.Problems, err.Error()) }
	if vocabulary, err := tokenizer.New(header); err != nil {
		problem(err)
	} else {
		r.Warnings = append(r.Warnings, vocabulary.Warnings()...)
	}
	plan, problems := model.Check(header)
	if plan != nil {
		r.Warnings = append(r.Warnings, plan.Warnings...)
	}
	if len(problems) > 0 {
		for _, err := range problems {
			problem(err)
		}
		said := errors.Join(problems...).Error()
		for _, t := range header.Tensors {
			if !t.Type.Runs() && !strings.Contains(said, t.Name) {
				problem(fmt.Errorf("tensor %s has type %s", t.Name, t.Type))
			}
		}
		return
	}
	if ctx == 0 {
		ctx = plan.Config.Context
	}
	r.Memory = &memory{Parameters: plan.Parameters(), Weights: plan.WeightBytes(), Context: ctx, State: plan.StateBytes(),
		KVPerToken: map[string]int{}, KVCache: map[string]int64{}}
	for _, kind := range kernel.KVTypes() {
		token, err := plan.KVTokenBytes(kind)
		if err != nil {
			problem(err)
			continue
		}
		r.Memory.KVPerToken[kind] = token
		r.Memory.KVCache[kind], _ = plan.KVBytes(kind, ctx)
	}
}

// fit finds the largest context of one sequence that so much memory holds beside weights and states.
func (r *report) fit(header *gguf.File, memory uint64) {
	plan, problems := model.Check(header)
	if memory == 0 || r.Memory == nil || len(problems) > 0 {
		return
	}
	r.Memory.Given, r.Memory.Largest = memory, map[string]int{}
	left := int64(min(memory, math.MaxInt64)) - r.Memory.Weights - r.Memory.State
	for kind := range r.Memory.KVPerToken {
		r.Memory.Largest[kind] = sort.Search(plan.Config.Context, func(n int) bool {
			need, err := plan.KVBytes(kind, n+1)
			return err != nil || need > left
		})
	}
}

// shorten keeps the first elements of an array.
func shorten(v gguf.Value) any {
	switch v.Type {
	case gguf.Array:
	case gguf.Float32:
		return writable(json.Number(v.String()))
	default:
		return writable(v.Any())
	}
	list := reflect.ValueOf(v.Any())
	a := array{Type: v.Elem.String(), Length: list.Len(), First: []any{}}
	for i := range min(list.Len(), shownElements) {
		a.First = append(a.First, writable(list.Index(i).Interface()))
	}
	return a
}

// writable turns what JSON has no number for into text.
func writable(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case json.Number:
		if f, err := v.Float64(); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return v.String()
		}
	}
	return v
}

func (r *report) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: GGUF version %d, %s\n\nmetadata:\n", r.File, r.Version, formatSize(uint64(r.Size)))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, key := range r.keys {
		fmt.Fprintf(table, "  %s\t%s\n", key, describe(r.Metadata[key]))
	}
	table.Flush()
	fmt.Fprintf(w, "\ntensors: %d\n", len(r.Tensors))
	for _, t := range r.Tensors {
		fmt.Fprintf(table, "  %s\t%s\t%v\n", t.Name, t.Type, t.Shape)
	}
	table.Flush()
	if m := r.Memory; m != nil {
		fmt.Fprintf(w, "\nGPU memory:\n  weights: %s, %.1f million parameters\n", formatSize(uint64(m.Weights)), float64(m.Parameters)/1e6)
		for _, kind := range kernel.KVTypes() {
			fmt.Fprintf(w, "  KV cache in %s: %s a token, %s for one sequence of %d tokens\n", kind,
				formatSize(uint64(m.KVPerToken[kind])), formatSize(uint64(m.KVCache[kind])), m.Context)
		}
	}
	if r.Memory != nil && r.Memory.State > 0 {
		fmt.Fprintf(w, "  state of layers without K and V: %s a sequence, and as much a snapshot\n", formatSize(uint64(r.Memory.State)))
	}
	if m := r.Memory; m != nil && m.Given > 0 {
		fmt.Fprintf(w, "  within %s one sequence has at most", formatSize(m.Given))
		for i, kind := range kernel.KVTypes() {
			fmt.Fprintf(w, "%s %d tokens in %s", map[bool]string{true: ",", false: ""}[i > 0], m.Largest[kind], kind)
		}
		fmt.Fprintln(w)
	}
	if len(r.Warnings) > 0 {
		fmt.Fprint(w, "\nNot used:\n")
		for _, line := range r.Warnings {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	if len(r.Problems) == 0 {
		_, err := fmt.Fprint(w, "\nThis model runs.\n")
		return err
	}
	fmt.Fprint(w, "\nThis model does not run:\n")
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
	return nil
}

// describe writes a metadata value on one line.
func describe(v any) string {
	switch v := v.(type) {
	case array:
		parts := make([]string, len(v.First))
		for i, item := range v.First {
			parts[i] = describe(item)
		}
		if v.Length > len(v.First) {
			parts = append(parts, "...")
		}
		return fmt.Sprintf("%d of %s: %s", v.Length, v.Type, strings.Join(parts, ", "))
	case string:
		text := []rune(fmt.Sprintf("%q", v))
		if len(text) > shownText {
			return fmt.Sprintf("%s... (%d bytes)", string(text[:shownText]), len(v))
		}
		return string(text)
	}
	return fmt.Sprint(v)
}
