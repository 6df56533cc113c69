package http

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"quire/engine/generation"
	"quire/engine/openai"
)

// Load is what a model does right now, and what it has done since it was loaded.
type Load struct {
	Model       string
	Running     int // sequences
	Waiting     int // requests
	Blocks      int // of the KV cache
	Used        int // of them, by what runs
	BlockSize   int
	Asked, Hits uint64 // tokens of prompts, and those of them that were found in the prefix cache
	Preemptions uint64

	Drafts, Drafted, Accepted uint64 // that were verified, tokens of them, and those of these that were right

	Bytes    uint64 // on the GPU
	Adapters int    // LoRA adapters that requests may name
}

// Metrics tells Prometheus of models and requests: under vLLM's names where they mean the same, so that dashboards and the inference
// gateway of Kubernetes read them.
type Metrics struct {
	http.Handler
	loads func() []Load
	used  func(key string, tokens int) // told of each request's

	prompt, generated, finished   *prometheus.CounterVec
	first, between, whole         *prometheus.HistogramVec
	promptTokens, generatedTokens *prometheus.HistogramVec

	mu       sync.Mutex
	adapters map[string]map[string]int // running requests by model and adapter
}

// times are the bounds of histograms of seconds.
var (
	times  = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640}
	counts = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5}
)

// NewMetrics makes metrics of the models that loads tells of.
func NewMetrics(loads func() []Load) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{loads: loads, used: func(string, int) {}, adapters: map[string]map[string]int{}}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"model_name"}, labels...))
		registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string, bounds []float64) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, []string{"model_name"})
		registry.MustRegister(v)
		return v
	}
	m.prompt = counter("vllm:prompt_tokens_total", "Tokens of prompts.")
	m.generated = counter("vllm:generation_tokens_total", "Generated tokens.")
	m.finished = counter("vllm:request_success_total", "Requests that have ended, by why.", "finished_reason")
	m.first = histogram("vllm:time_to_first_token_seconds", "Time from a request to its first token.", times)
	m.between = histogram("vllm:inter_token_latency_seconds", "Mean time between a request's tokens.", times)
	m.whole = histogram("vllm:e2e_request_latency_seconds", "Time from a request to its end.", times)
	m.promptTokens = histogram("vllm:request_prompt_tokens", "Tokens of a request's prompt.", counts)
	m.generatedTokens = histogram("vllm:request_generation_tokens", "Tokens that a request generated.", counts)
	registry.MustRegister(gauges{m}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// Watch gives models whose requests are counted.
func (m *Metrics) Watch(models openai.Models) openai.Models { return watchedModels{models, m} }

type watchedModels struct {
	openai.Models
	metrics *Metrics
}

// Take implements openai.Models.
func (w watchedModels) Take(ctx context.Context, name string) (openai.Engine, func(), error) {
	e, release, err := w.Models.Take(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return &watchedEngine{Engine: e, metrics: w.metrics, model: e.About().Name, loras: map[uint64]string{}}, release, nil
}

// watchedEngine serves one answer.
type watchedEngine struct {
	openai.Engine
	metrics *Metrics
	model   string
	mu      sync.Mutex
	loras   map[uint64]string // that were asked for by name
}

// LoRA implements openai.Engine.
func (e *watchedEngine) LoRA(name string) (uint64, error) {
	number, err := e.Engine.LoRA(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loras[number] = name
	return number, err
}

// Submit implements openai.Engine.
func (e *watchedEngine) Submit(ctx context.Context, r generation.Request) (openai.Stream, error) {
	s, err := e.Engine.Submit(ctx, r)
	if err != nil {
		return nil, err
	}
	w := &watchedStream{Stream: s, engine: e, tenant: r.Tenant, start: time.Now()}
	e.mu.Lock()
	for _, l := range r.LoRA {
		w.adapters = append(w.adapters, e.loras[l.Adapter])
	}
	e.mu.Unlock()
	e.metrics.runAdapters(e.model, w.adapters, 1)
	return w, nil
}

type watchedStream struct {
	openai.Stream
	engine   *watchedEngine
	tenant   string
	adapters []string
	start    time.Time
	once     sync.Once
}

// Next implements openai.Stream.
func (s *watchedStream) Next() (generation.Chunk, bool) {
	c, more := s.Stream.Next()
	if !more {
		s.end(s.Stream.Result())
	}
	return c, more
}

// Result implements openai.Stream.
func (s *watchedStream) Result() generation.Result {
	r := s.Stream.Result()
	s.end(r)
	return r
}

// Cancel implements openai.Stream. Nobody may ask for the result of what was cancelled.
func (s *watchedStream) Cancel() {
	s.Stream.Cancel()
	go s.Result()
}

func (s *watchedStream) end(r generation.Result) {
	s.once.Do(func() { s.engine.metrics.ended(s, r) })
}

// ended counts a request that has ended.
func (m *Metrics) ended(s *watchedStream, r generation.Result) {
	f, model := &r.Figures, s.engine.model
	m.runAdapters(model, s.adapters, -1)
	m.prompt.WithLabelValues(model).Add(float64(f.PromptTokens))
	m.generated.WithLabelValues(model).Add(float64(f.GeneratedTokens))
	m.promptTokens.WithLabelValues(model).Observe(float64(f.PromptTokens))
	m.generatedTokens.WithLabelValues(model).Observe(float64(f.GeneratedTokens))
	reason := string(r.Reason)
	if r.Reason == generation.FinishCancelled {
		reason = "abort" // in vLLM's words
	}
	m.finished.WithLabelValues(model, reason).Inc()
	m.whole.WithLabelValues(model).Observe(time.Since(s.start).Seconds())
	if f.TimeToFirst.Duration > 0 {
		m.first.WithLabelValues(model).Observe(f.TimeToFirst.Seconds())
	}
	if f.DecodePerSecond > 0 {
		m.between.WithLabelValues(model).Observe(1 / f.DecodePerSecond)
	}
	m.used(s.tenant, f.PromptTokens+f.GeneratedTokens)
}

func (m *Metrics) runAdapters(model string, names []string, n int) {
	if len(names) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.adapters[model] == nil {
		m.adapters[model] = map[string]int{}
	}
	for _, name := range names {
		if m.adapters[model][name] += n; m.adapters[model][name] == 0 {
			delete(m.adapters[model], name)
		}
	}
}
