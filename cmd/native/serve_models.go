package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"quire/cmd/native/pull"
	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/model"
	"quire/engine/openai"
	openaihttp "quire/engine/openai/http"
	"quire/engine/openai/loader"
	"quire/engine/openai/local"
)

// shelf is the models that are served, with what is told of them.
type shelf struct {
	*loader.Loader
	adapters []string    // of the first model, by the names that requests give them
	first    atomic.Bool // the first model has been loaded

	mu     sync.Mutex
	listed []openaihttp.Listed
}

// served is a loaded model.
type served struct {
	*local.Engine
	engine   *engine.Engine
	adapters int
}

// Memory implements loader.Model.
func (s *served) Memory() uint64 {
	info := s.engine.Info()
	return info.WeightBytes + info.KVBytes + info.StateBytes + info.DraftBytes
}

// Close implements loader.Model.
func (s *served) Close() error { return s.engine.Close() }

// models reads the headers of the models that are to be served.
func (c *serveCommand) models(ctx context.Context, h *host, log *slog.Logger) (*shelf, error) {
	s := &shelf{}
	adapters, err := readServeAdapters(c.LoRA)
	if err != nil {
		return nil, err
	}
	for _, a := range adapters {
		if info, err := os.Stat(a.file); err != nil {
			return nil, fmt.Errorf("--lora %s: %w", a.name, err)
		} else if info.IsDir() {
			return nil, fmt.Errorf("--lora %s: %s is a folder, not an adapter's file", a.name, a.file)
		}
		s.adapters = append(s.adapters, a.name)
	}
	var entries []loader.Entry
	names := c.Model
	if len(names) == 0 {
		names = []string{""}
	}
	for i, text := range names {
		name, source := nameOf(text)
		e, l, err := c.entry(ctx, h, name, source)
		if err != nil {
			return nil, err
		}
		if slices.Contains(s.adapters, e.Name) {
			return nil, usagef("a model and an adapter have the name %q", e.Name)
		}
		e.Open = func(ctx context.Context) (loader.Model, error) {
			var own []serveAdapter
			if i == 0 {
				own = adapters
			}
			m, err := c.open(ctx, h, e, source, own)
			s.record(i, source)
			return m, err
		}
		entries, s.listed = append(entries, e), append(s.listed, l)
	}
	for i, text := range names {
		_, source := nameOf(text)
		s.record(i, source)
	}
	s.Loader, err = loader.New(entries, loader.Options{
		Memory: uint64(c.Memory), Keep: c.KeepAlive, Full: func(err error) bool { return errors.Is(err, gpu.ErrOutOfMemory) },
		Tell: func(event, name string, err error) {
			if err != nil {
				log.Error("model "+event, "model", name, "error", say(err))
				return
			}
			log.Info("model "+event, "model", name)
		},
	})
	if err != nil {
		return nil, usagef("-m: %s; NAME=FILE gives another", err)
	}
	return s, nil
}

// nameOf splits NAME=MODEL; without a name it is the file's, or a hub's.
func nameOf(text string) (name, source string) {
	if text == "" {
		return "quire-tales", ""
	}
	if name, source, ok := strings.Cut(text, "="); ok && !strings.ContainsAny(name, "/\\:?") {
		if _, err := os.Stat(text); err != nil { // a file's name may have an equals sign
			return name, source
		}
	}
	if hub, ok := strings.CutPrefix(text, "hf:"); ok && !strings.HasSuffix(hub, ".gguf") {
		return hub, text
	}
	base, _, _ := strings.Cut(path.Base(strings.ReplaceAll(text, "\\", "/")), "?")
	return strings.TrimSuffix(base, ".gguf"), text
}

// entry is a model as the loader has it, and as ollama's clients are told of it.
func (c *serveCommand) entry(ctx context.Context, h *host, name, source string) (e loader.Entry, l openaihttp.Listed, err error) {
	f, header, err := openHeader(ctx, source, h.err)
	if err != nil {
		return e, l, err
	}
	defer f.Close()
	if name == "" {
		return e, l, usagef("-m %s: the name must not be empty", source)
	}
	plan, err := model.NewPlan(header)
	if err != nil {
		return e, l, f.wrap(err)
	}
	l = openaihttp.Listed{Name: name, Architecture: plan.Config.Architecture, Parameters: parameters(plan.Parameters()), Quantization: quantization(header),
		Size: f.size, Context: plan.Config.Context, Embeds: plan.NoText || plan.Whole}
	l.Template, _, _ = header.Metadata.String("tokenizer.chat_template")
	if info, err := os.Stat(source); err == nil {
		l.Modified = info.ModTime()
	} else if m := inCache(source); m != nil {
		l.Modified = m.Pulled
	}
	l.Digest = digest(l, source)
	e = loader.Entry{Name: name, Need: uint64(plan.WeightBytes()) + uint64(c.KVMemory), Info: openai.ModelInfo{Context: plan.Config.Context}}
	if !l.Modified.IsZero() {
		e.Info.Created = l.Modified.Unix()
	}
	return e, l, nil
}

// inCache gives a hub's model, or one of an address, that is in the cache; nil where it is not.
func inCache(source string) *pull.Model {
	if !pull.IsName(source) {
		return nil
	}
	p, err := newPuller(pull.Options{})
	if err != nil {
		return nil
	}
	n, _, err := p.Parse(source)
	if err != nil {
		return nil
	}
	return p.Find(n)
}

// digest stands for a model that the cache has no sum of, which would take long to add up: clients compare it, and show its beginning.
func digest(l openaihttp.Listed, source string) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s %d %d", source, l.Size, l.Modified.UnixNano())))
}

// record notes what the cache knows of a model, which may have been pulled just now.
func (s *shelf) record(i int, source string) {
	m := inCache(source)
	if m == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed[i].Modified = m.Pulled
	if len(m.Files) == 1 {
		s.listed[i].Digest = m.Files[0].SHA256
	}
}

// open loads a model and its adapters.
func (c *serveCommand) open(ctx context.Context, h *host, entry loader.Entry, source string, adapters []serveAdapter) (loader.Model, error) {
	var all job
	for _, a := range adapters {
		all.lora = append(all.lora, loraUse{file: a.file, scale: 1})
	}
	eng, files, err := openAdapted(ctx, h, []job{all}, c.engineFlags, func(flags engineFlags) (*engine.Engine, error) {
		eng, _, err := openWith(ctx, h, "serve", source, c.Ctx, flags, nil)
		return eng, err
	})
	if err != nil {
		return nil, err
	}
	s := &served{Engine: local.New(eng, entry.Name, entry.Info.Created), engine: eng, adapters: len(adapters)}
	for _, a := range adapters {
		s.NameLoRA(files.numbers[a.file], a.name)
	}
	return s, nil
}

// begin loads the first model.
func (s *shelf) begin(ctx context.Context) error {
	err := s.Loader.Load(ctx, "")
	s.first.Store(err == nil)
	return err
}

// ready says whether the first model has been loaded.
func (s *shelf) ready() (bool, string) { return s.first.Load(), "The model is being loaded." }

// loads is what metrics tell of the models.
func (s *shelf) loads() (all []openaihttp.Load) {
	for _, state := range s.States() {
		m, ok := state.Model.(*served)
		if !ok {
			continue
		}
		info, stats := m.engine.Info(), m.engine.Stats()
		all = append(all, openaihttp.Load{
			Model: state.Name, Running: stats.Running, Waiting: stats.Waiting, Blocks: stats.Blocks.Total, Used: stats.Blocks.Active, BlockSize: info.BlockSize,
			Asked: stats.AskedTokens, Hits: stats.HitTokens, Preemptions: stats.Preemptions, Drafts: stats.Drafts, Drafted: stats.DraftedTokens, Accepted: stats.AcceptedTokens, Bytes: m.Memory(), Adapters: m.adapters,
		})
	}
	return all
}

// All implements openaihttp.Catalog.
func (s *shelf) All() (all []openaihttp.Listed) {
	states := s.States()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, state := range states {
		l := s.listed[i]
		if m, ok := state.Model.(*served); ok {
			l.Loaded, l.Memory, l.Context, l.Expires = true, m.Memory(), m.About().Context, state.Expires
			l.Dimensions = m.About().Dimensions
		}
		all = append(all, l)
		if i == 0 {
			for _, name := range s.adapters {
				tuned := l
				tuned.Name, tuned.Digest = name, fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s %s", l.Digest, name)))
				all = append(all, tuned)
			}
		}
	}
	return all
}

// parameters writes a number of weights as people do.
func parameters(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1fB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0fM", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0fK", float64(n)/1e3)
}

// quantization is the type that most of a file's bytes have.
func quantization(header *gguf.File) (name string) {
	bytes := map[string]int64{}
	for _, t := range header.Tensors {
		bytes[t.Type.String()] += t.Bytes
	}
	for t, n := range bytes {
		if cmp.Or(cmp.Compare(n, bytes[name]), strings.Compare(name, t)) > 0 {
			name = t
		}
	}
	return name
}
