package http

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gauges are read off the models when somebody asks.
type gauges struct{ *Metrics }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"model_name"}, labels...), nil)
}

var (
	running     = describe("vllm:num_requests_running", "Sequences that run.")
	queued      = describe("vllm:num_requests_waiting", "Requests that wait for room.")
	cacheUsage  = describe("vllm:kv_cache_usage_perc", "Share of the KV cache's blocks that running requests hold, from 0 to 1.")
	cacheUsage0 = describe("vllm:gpu_cache_usage_perc", "The same, under its older name.")
	cacheConfig = describe("vllm:cache_config_info", "The KV cache's size.", "block_size", "num_gpu_blocks")
	queries     = describe("vllm:prefix_cache_queries_total", "Tokens of prompts that were looked up in the prefix cache.")
	hits        = describe("vllm:prefix_cache_hits_total", "Tokens of prompts that were found in the prefix cache.")
	preempted   = describe("vllm:num_preemptions_total", "Requests that gave way to others.")
	drafts      = describe("vllm:spec_decode_num_drafts_total", "Drafts that were verified.")
	drafted     = describe("vllm:spec_decode_num_draft_tokens_total", "Tokens of drafts that were verified.")
	accepted    = describe("vllm:spec_decode_num_accepted_tokens_total", "Tokens of drafts that were right.")
	loras       = describe("vllm:lora_requests_info", "When it was looked which LoRA adapters run.", "max_lora", "running_lora_adapters", "waiting_lora_adapters")
	memory      = describe("quire:model_memory_bytes", "Memory on the GPU that a loaded model has.")
)

// Describe implements prometheus.Collector.
func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{running, queued, cacheUsage, cacheUsage0, cacheConfig, queries, hits, preempted, drafts, drafted, accepted, loras, memory} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	for _, l := range g.loads() {
		tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, kind, value, append([]string{l.Model}, labels...)...)
		}
		usage := float64(l.Used) / float64(max(1, l.Blocks))
		tell(running, prometheus.GaugeValue, float64(l.Running))
		tell(queued, prometheus.GaugeValue, float64(l.Waiting))
		tell(cacheUsage, prometheus.GaugeValue, usage)
		tell(cacheUsage0, prometheus.GaugeValue, usage)
		tell(cacheConfig, prometheus.GaugeValue, 1, strconv.Itoa(l.BlockSize), strconv.Itoa(l.Blocks))
		tell(queries, prometheus.CounterValue, float64(l.Asked))
		tell(hits, prometheus.CounterValue, float64(l.Hits))
		tell(preempted, prometheus.CounterValue, float64(l.Preemptions))
		tell(drafts, prometheus.CounterValue, float64(l.Drafts))
		tell(drafted, prometheus.CounterValue, float64(l.Drafted))
		tell(accepted, prometheus.CounterValue, float64(l.Accepted))
		tell(memory, prometheus.GaugeValue, float64(l.Bytes))
		if l.Adapters > 0 {
			tell(loras, prometheus.GaugeValue, float64(time.Now().Unix()), strconv.Itoa(l.Adapters), strings.Join(g.runningAdapters(l.Model), ","), "")
		}
	}
}

// runningAdapters gives the adapters that a model's requests run with.
func (m *Metrics) runningAdapters(model string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.adapters[model]))
}
