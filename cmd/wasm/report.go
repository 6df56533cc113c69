//go:build js

package main

import (
	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/sample"
)

// What the worker is told, in JavaScript's spelling; times are in milliseconds.

type progress struct {
	Stage string `json:"stage"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

type adapterInfo struct {
	Name     string   `json:"name"`
	Vendor   string   `json:"vendor"`
	Type     string   `json:"type"`
	Features []string `json:"features"`
}

type info struct {
	Name          string      `json:"name"`
	Architecture  string      `json:"architecture"`
	Parameters    int64       `json:"parameters"`
	WeightBytes   uint64      `json:"weightBytes"`
	KVBytes       uint64      `json:"kvBytes"`
	Vocabulary    int         `json:"vocabulary"`
	Context       int         `json:"context"`
	Blocks        int         `json:"blocks"`
	BlockSize     int         `json:"blockSize"`
	KVType        string      `json:"kvType"`
	Variant       string      `json:"variant"`
	Deterministic bool        `json:"deterministic"`
	Chat          bool        `json:"chat"`
	Adapter       adapterInfo `json:"adapter"`
	LoadTime      float64     `json:"loadTime"`
	Warnings      []string    `json:"warnings"`
	Defaults      sampling    `json:"defaults"` // of requests
}

type sampling struct {
	Temperature float64 `json:"temperature"`
	TopK        int     `json:"topK"`
	TopP        float64 `json:"topP"`
	MinP        float64 `json:"minP"`
}

func infoOf(e *engine.Engine) info {
	i := e.Info()
	suited := sample.Suited(i.Name)
	return info{
		Name: i.Name, Architecture: i.Architecture, Parameters: i.Parameters, WeightBytes: i.WeightBytes, KVBytes: i.KVBytes,
		Vocabulary: i.Vocabulary, Context: i.Context, Blocks: i.Blocks, BlockSize: i.BlockSize, KVType: i.KVType, Variant: i.Variant,
		Deterministic: i.Deterministic, Chat: e.HasTemplate(), LoadTime: 1000 * i.LoadSeconds, Warnings: append([]string{}, i.Warnings...),
		Adapter:  adapterInfo{i.Adapter.Name, i.Adapter.Vendor, i.Adapter.Type, i.Adapter.Features.Names()},
		Defaults: sampling{suited.Temperature, suited.TopK, suited.TopP, suited.MinP},
	}
}

type blocks struct {
	Total  int `json:"total"`
	Active int `json:"active"`
	Cached int `json:"cached"`
	Free   int `json:"free"`
}

type stats struct {
	Blocks      blocks `json:"blocks"`
	Waiting     int    `json:"waiting"`
	Running     int    `json:"running"`
	Steps       uint64 `json:"steps"`
	Tokens      uint64 `json:"tokens"`
	Preemptions uint64 `json:"preemptions"`
	Swaps       uint64 `json:"swaps"`
	Copies      uint64 `json:"copies"`
	Evictions   uint64 `json:"evictions"`
	AskedTokens uint64 `json:"askedTokens"`
	HitTokens   uint64 `json:"hitTokens"`
	Recoveries  int    `json:"recoveries"`
	Dispatches  int    `json:"dispatches"`
	GPUBuffers  int    `json:"gpuBuffers"`
	GPUBytes    uint64 `json:"gpuBytes"`
}

func statsOf(e *engine.Engine) stats {
	s := e.Stats()
	return stats{
		Blocks:  blocks{e.Info().Blocks, s.BlocksActive, s.BlocksCached, s.BlocksFree},
		Waiting: s.Waiting, Running: s.Running, Steps: s.Steps, Tokens: s.Tokens, Preemptions: s.Preemptions, Recoveries: s.Recoveries,
		Swaps: s.Swaps, Copies: s.Copies, Evictions: s.Evictions, AskedTokens: s.AskedTokens, HitTokens: s.HitTokens + s.PartialTokens,
		Dispatches: s.Dispatches, GPUBuffers: s.GPU.Buffers, GPUBytes: s.GPU.Bytes,
	}
}

type figures struct {
	PromptTokens    int     `json:"promptTokens"`
	CachedTokens    int     `json:"cachedTokens"`
	GeneratedTokens int     `json:"generatedTokens"`
	TimeToFirst     float64 `json:"timeToFirst"`
	PromptPerSecond float64 `json:"promptPerSecond"`
	DecodePerSecond float64 `json:"decodePerSecond"`
	Blocks          int     `json:"blocks"`
}

type choice struct {
	Index   int                 `json:"index"`
	Reason  engine.FinishReason `json:"reason"`
	Limit   string              `json:"limit,omitempty"`
	IDs     []int32             `json:"ids"`
	Text    string              `json:"text"`
	Tokens  []engine.Token      `json:"tokens,omitempty"`
	Logprob float64             `json:"logprob"`
	Score   float64             `json:"score"`
}

type result struct {
	Reason  engine.FinishReason `json:"reason"`
	Limit   string              `json:"limit,omitempty"`
	Error   *port.Failure       `json:"error,omitempty"`
	IDs     []int32             `json:"ids"`
	Text    string              `json:"text"`
	Tokens  []engine.Token      `json:"tokens,omitempty"`
	Choices []choice            `json:"choices"`
	Figures figures             `json:"figures"`
}

// limits are engine.Limits, named as the request's fields.
var limits = map[engine.Limit]string{engine.LimitTokens: "maxTokens", engine.LimitContext: "context"}

func resultOf(r engine.Result) result {
	f := r.Figures
	out := result{Reason: r.Reason, Limit: limits[r.Limit], IDs: port.OrEmpty(r.IDs), Text: r.Text, Tokens: r.Tokens, Choices: make([]choice, len(r.Choices)), Figures: figures{
		f.PromptTokens, f.CachedTokens, f.GeneratedTokens, 1000 * f.TimeToFirst.Seconds(), f.PromptPerSecond, f.DecodePerSecond, f.Blocks,
	}}
	for i, c := range r.Choices {
		out.Choices[i] = choice{c.Index, c.Reason, limits[c.Limit], port.OrEmpty(c.IDs), c.Text, c.Tokens, c.Logprob, c.Score}
	}
	if r.Err != nil {
		out.Error = failureOf(r.Err)
	}
	return out
}
