//go:build !js

// Command peers measures Quire and its peers on one GPU, one after another, each with the same shape of model in 4 bits: in Chromium
// wllama and transformers.js, natively llama.cpp's Vulkan backend. "make bench-peers" prepares what it needs and runs it. A peer that
// computes on the CPU is refused.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quire/engine/bench"
	"quire/engine/quant"
)

// tiny is a shape for trying everything on a software adapter.
var tiny = bench.Shape{Name: "tiny", Architecture: "llama", Layers: 2, Width: 256, FFN: 512, Heads: 4, KVHeads: 2, HeadDim: 64,
	Vocabulary: 1024, Context: 8192, RopeBase: 1e4, Tied: true, Pre: "llama-bpe"}

// names are the peers, in the table's order; hosts says where they run.
var (
	names = []string{"quire", "wllama", "transformers.js", "quire-native", "llama.cpp"}
	pages = map[string]string{"quire": "quire.html", "wllama": "wllama.html", "transformers.js": "transformers.html"}
)

type settings struct {
	kit      string // what .ci/peers has put together
	shape    bench.Shape
	prompts  []int
	lanes    []int
	gen      int
	repeat   int
	peers    []string
	matrices bool // leave subgroup matrices to the pages
	software bool
	half     bool // of transformers.js' model
	batch    int  // of llama.cpp
	limit    time.Duration
	out      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
}

func numbers(text string) (all []int, err error) {
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number above 0", part)
		}
		all = append(all, n)
	}
	return all, nil
}

func parse(args []string) (s settings, err error) {
	f := flag.NewFlagSet("bench-peers", flag.ContinueOnError)
	list := func(to *[]int, usual []int) func(string) error {
		*to = usual
		return func(text string) (err error) {
			*to, err = numbers(text)
			return err
		}
	}
	f.StringVar(&s.kit, "kit", "bin/peers", "folder that .ci/peers made")
	shape := f.String("shape", "llama-1b", "a tied llama among the shapes of \"quire bench\", or tiny")
	f.Func("prompts", "prefill so many tokens (128,512,2048)", list(&s.prompts, []int{128, 512, 2048}))
	f.Func("lanes", "decode so many sequences at once (1,8,32,64)", list(&s.lanes, []int{1, 8, 32, 64}))
	f.IntVar(&s.gen, "gen", 128, "tokens that each sequence decodes")
	f.IntVar(&s.repeat, "r", 3, "repetitions, of which the median counts")
	peers := f.String("peers", strings.Join(names, ","), "which to measure")
	f.BoolVar(&s.matrices, "matrices", false, "leave subgroup matrices to the pages, as no stock browser does")
	f.BoolVar(&s.software, "software", false, "measure on software adapters, too")
	precision := f.String("precision", "f16", "f16 or f32: activations and cache of transformers.js")
	f.IntVar(&s.batch, "llama-batch", 0, "tokens that llama.cpp computes at once; 0: as many as it does unasked, 512")
	f.DurationVar(&s.limit, "limit", 10*time.Minute, "the longest that one peer may take")
	f.StringVar(&s.out, "out", "", "begin of the files that are written, .json and .md (KIT/result)")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	s.half = *precision == "f16"
	if s.peers = strings.Split(*peers, ","); f.NArg() > 0 || *precision != "f16" && *precision != "f32" {
		return s, fmt.Errorf("arguments %q and precision %q are not understood", f.Args(), *precision)
	}
	for _, p := range s.peers {
		if !slices.Contains(names, p) {
			return s, fmt.Errorf("there is no peer %q; there are %s", p, strings.Join(names, ", "))
		}
	}
	if s.out == "" {
		s.out = filepath.Join(s.kit, "result")
	}
	if s.shape = tiny; *shape != tiny.Name {
		s.shape, err = bench.FindShape(*shape)
	}
	s.shape.Capitals = true // wllama ends where an answer is no UTF-8
	return s, err
}

func run(ctx context.Context, args []string, w io.Writer) error {
	s, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if err := s.models(); err != nil {
		return err
	}
	t := table{Shape: s.shape.Name, Command: "peers " + strings.Join(args, " "), Matrices: s.matrices, Gen: s.gen, Prompts: s.prompts, Lanes: s.lanes}
	for _, name := range names {
		if !slices.Contains(s.peers, name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "==", name)
		p := s.measure(ctx, name)
		p.Name = name
		if p.Refused != "" {
			fmt.Fprintln(os.Stderr, "refused:", p.Refused)
		}
		if t.Peers = append(t.Peers, p); ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if err := t.write(s.out); err != nil {
		return err
	}
	_, err = io.WriteString(w, t.markdown())
	return err
}

// models writes the model in the forms that the peers take, where they are not there yet.
func (s *settings) models() error {
	site := filepath.Join(s.kit, "site")
	if _, err := os.Stat(site); err != nil {
		return fmt.Errorf("%s is missing: \"make bench-peers\" puts it together", site)
	}
	err := once(filepath.Join(site, "model-of"), fmt.Sprint(s.shape), func() error {
		r, err := bench.NewRandom(s.shape, quant.Q4_0)
		if err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(site, "model.gguf"))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, io.NewSectionReader(r, 0, r.Size()))
		return cmp.Or(err, f.Close())
	})
	if err != nil || !slices.Contains(s.peers, "transformers.js") {
		return err
	}
	folder := filepath.Join(site, "models", "random")
	return once(filepath.Join(site, "models-of"), fmt.Sprint(s.shape, s.half), func() error { return writeONNX(folder, s.shape, s.half) })
}

// once makes something unless the file mark says that it is what was made last.
func once(mark, what string, make func() error) error {
	if was, _ := os.ReadFile(mark); string(was) == what {
		return nil
	}
	if err := make(); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(what), 0o644)
}

// measure runs a peer.
func (s *settings) measure(ctx context.Context, name string) (p peer) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("it took longer than %v", s.limit))
	defer cancel()
	var err error
	switch name {
	case "quire-native":
		p, err = s.native(ctx)
	case "llama.cpp":
		p, err = s.llama(ctx)
	default:
		p, err = s.browse(ctx, pages[name])
	}
	if err != nil {
		p.Refused = err.Error()
		if ctx.Err() != nil {
			p.Refused = context.Cause(ctx).Error()
		}
	}
	return p
}
