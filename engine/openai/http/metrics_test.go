package http

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/openai"
)

// ended is an engine whose requests have ended.
type ended struct {
	openai.Engine
	result generation.Result
}

func (e ended) About() openai.About              { return openai.About{Name: "tales"} }
func (e ended) LoRA(name string) (uint64, error) { return 7, nil }
func (e ended) Submit(context.Context, generation.Request) (openai.Stream, error) {
	return &endedStream{e.result}, nil
}

type endedStream struct{ result generation.Result }

func (s *endedStream) Next() (generation.Chunk, bool) { return generation.Chunk{}, false }
func (s *endedStream) Cancel()                        {}
func (s *endedStream) Result() generation.Result      { return s.result }

type one struct{ openai.Engine }

func (o one) List(context.Context) []openai.ModelInfo { return nil }
func (o one) Take(context.Context, string) (openai.Engine, func(), error) {
	return o.Engine, func() {}, nil
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, testMetrics) // where no time passes, in which a key's tokens would come back
}

func testMetrics(t *testing.T) {
	loads := []Load{{Model: "tales", Running: 3, Waiting: 2, Blocks: 100, Used: 25, BlockSize: 16, Asked: 50, Hits: 20, Preemptions: 1, Adapters: 2, Drafts: 4, Drafted: 30, Accepted: 21}}
	m := NewMetrics(func() []Load { return loads })
	h := New(echo, Options{Metrics: m, Keys: secrets(t, "ann", "secret-of-ann"), TokensPerMinute: 1000})
	r := generation.Result{Reason: generation.FinishLength, Figures: generation.Figures{PromptTokens: 10, GeneratedTokens: 5, DecodePerSecond: 20,
		TimeToFirst: generation.Duration{Duration: 30 * time.Millisecond}}}
	e, release, err := m.Watch(one{ended{result: r}}).Take(t.Context(), "")
	require.NoError(t, err)
	defer release()
	number, err := e.LoRA("pirate")
	require.NoError(t, err)
	ask := generation.Request{Tenant: "ann", LoRA: []generation.LoRA{{Adapter: number, Scale: 1}}}
	s, err := e.Submit(t.Context(), ask)
	require.NoError(t, err)
	_, err = e.Submit(t.Context(), ask) // still runs
	require.NoError(t, err)
	_, more := s.Next()
	assert.False(t, more)
	s.Result() // counts once
	s.Cancel()
	text := scrape(t, h, "secret-of-ann", 200)
	for _, line := range []string{
		`vllm:num_requests_running{model_name="tales"} 3`, `vllm:num_requests_waiting{model_name="tales"} 2`,
		`vllm:kv_cache_usage_perc{model_name="tales"} 0.25`, `vllm:gpu_cache_usage_perc{model_name="tales"} 0.25`,
		`vllm:cache_config_info{block_size="16",model_name="tales",num_gpu_blocks="100"} 1`,
		`vllm:prefix_cache_queries_total{model_name="tales"} 50`, `vllm:prefix_cache_hits_total{model_name="tales"} 20`,
		`vllm:num_preemptions_total{model_name="tales"} 1`, `vllm:spec_decode_num_drafts_total{model_name="tales"} 4`,
		`vllm:spec_decode_num_draft_tokens_total{model_name="tales"} 30`, `vllm:spec_decode_num_accepted_tokens_total{model_name="tales"} 21`,
		`vllm:prompt_tokens_total{model_name="tales"} 10`, `vllm:generation_tokens_total{model_name="tales"} 5`,
		`vllm:request_success_total{finished_reason="length",model_name="tales"} 1`,
		`vllm:time_to_first_token_seconds_bucket{model_name="tales",le="0.02"} 0`, `vllm:time_to_first_token_seconds_bucket{model_name="tales",le="0.04"} 1`,
		`vllm:e2e_request_latency_seconds_count{model_name="tales"} 1`, `vllm:inter_token_latency_seconds_sum{model_name="tales"} 0.05`,
		`vllm:lora_requests_info{max_lora="2",model_name="tales",running_lora_adapters="pirate",waiting_lora_adapters=""}`,
		"# TYPE vllm:prompt_tokens_total counter", "# TYPE vllm:kv_cache_usage_perc gauge",
	} {
		assert.Contains(t, text, line)
	}
	assert.EqualValues(t, 985, h.limits.of("ann")[tokens].Tokens(), "the key has paid for them")
	scrape(t, h, "", 401)
	h.OpenMetrics = true
	scrape(t, h, "", 200)
}

func scrape(t *testing.T, h http.Handler, key string, status int) string {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	a := httptest.NewRecorder()
	h.ServeHTTP(a, r)
	assert.Equal(t, status, a.Code)
	return a.Body.String()
}
