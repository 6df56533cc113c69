//go:build !js

package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"quire/cmd/native/model"
	"quire/engine"
	"quire/engine/chat"
	"quire/engine/gpu"
)

// source is the built-in model. For one of your own, os.Open its file in place of bytes.NewReader.
var source = gpu.ReaderSource(bytes.NewReader(model.Bytes), int64(len(model.Bytes)))

var options = engine.Options{Context: 256, GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}}

// opened is an engine that several examples use.
var opened = sync.OnceValue(func() *engine.Engine {
	eng, err := engine.Open(context.Background(), source, options)
	check(err)
	return eng
})

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Chunks of text come as the model writes them.
func ExampleEngine_Submit() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, source, options)
	check(err)
	defer eng.Close()

	prompt, err := eng.ChatPrompt([]chat.Message{{Role: "user", Content: "Tell me a story about a fox."}}, chat.Options{})
	check(err)
	stream, err := eng.Submit(ctx, engine.Request{Prompt: prompt, MaxTokens: 5}) // greedy: Sample is the zero value
	check(err)
	for chunk := range stream.All() {
		fmt.Print(chunk.Text)
	}
	r := stream.Result()
	fmt.Printf("\n%s at %s, %d tokens\n", r.Reason, r.Limit, len(r.IDs))
	// Output:
	// Here is a story for
	// length at maxTokens, 5 tokens
}

// What a schema allows comes, and nothing else, however the model draws.
func ExampleGrammar() {
	ctx := context.Background()
	eng := opened()
	prompt, err := eng.TextPrompt("The fox is ")
	check(err)
	stream, err := eng.Submit(ctx, engine.Request{Prompt: prompt, Grammar: &engine.Grammar{
		Kind:   engine.JSONSchema,
		Source: `{"type": "object", "properties": {"colour": {"const": "red"}, "tame": {"const": false}}, "required": ["colour", "tame"], "additionalProperties": false}`,
	}})
	check(err)
	var fox struct {
		Colour string
		Tame   bool
	}
	r := stream.Result()
	check(json.Unmarshal([]byte(r.Text), &fox))
	fmt.Println(fox.Colour, fox.Tame, r.Reason)
	// Output:
	// red false stop
}

// Leaving the loop cancels the request. So does cancelling the context that Submit was given, or its deadline.
func ExampleStream_All() {
	eng := opened()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	prompt, err := eng.TextPrompt("Once upon a time")
	check(err)
	stream, err := eng.Submit(ctx, engine.Request{Prompt: prompt})
	check(err)
	var text strings.Builder
	for chunk := range stream.All() {
		text.WriteString(chunk.Text)
		if strings.Contains(text.String(), ".") {
			break
		}
	}
	sentence, _, _ := strings.Cut(text.String(), ".")
	fmt.Println(strings.HasPrefix(sentence, ", there was a"), stream.Result().Reason)
	// Output:
	// true cancelled
}

// Requests that are submitted together run as one batch. Several answers share one prefill.
func ExampleEngine_Submit_batch() {
	ctx := context.Background()
	eng := opened()

	var streams []*engine.Stream
	for _, question := range []string{"Tell me a story about a fox.", "Tell me a story about a kite."} {
		prompt, err := eng.ChatPrompt([]chat.Message{{Role: "user", Content: question}}, chat.Options{})
		check(err)
		r := engine.Request{Prompt: prompt, MaxTokens: 8, N: 2, Sample: eng.Info().Defaults}
		r.Sample.Seed = 7
		stream, err := eng.Submit(ctx, r)
		check(err)
		streams = append(streams, stream)
	}
	for _, stream := range streams {
		r := stream.Result()
		check(r.Err)
		fmt.Println(len(r.Choices), "answers of", len(r.Choices[0].IDs), "and", len(r.Choices[1].IDs), "tokens")
	}
	// Output:
	// 2 answers of 8 and 8 tokens
	// 2 answers of 8 and 8 tokens
}

// A conversation goes on from what was computed: its next turn finds the last one in the KV cache.
func ExampleSession() {
	ctx := context.Background()
	eng := opened()

	talk := eng.NewSession()
	for i, said := range []string{"Tell me a story about a girl and a lost boat.", "And then?"} {
		var prompt []int32
		var err error
		if i == 0 {
			prompt, err = eng.ChatPrompt([]chat.Message{{Role: "user", Content: said}}, chat.Options{})
		} else {
			prompt, err = talk.ChatPrompt(said)
		}
		check(err)
		stream, err := eng.Submit(ctx, engine.Request{Prompt: prompt, MaxTokens: 40})
		check(err)
		r := stream.Result()
		check(r.Err)
		talk = eng.NewSession(append(prompt, r.IDs...)...)
		fmt.Println("found in the cache:", r.Figures.CachedTokens > 0)
	}

	var file bytes.Buffer
	check(talk.Save(&file)) // tokens, and K and V of whole blocks
	again, err := eng.Restore(bytes.NewReader(file.Bytes()))
	check(err)
	fmt.Println("restored:", len(again.Tokens()) == len(talk.Tokens()))
	// Output:
	// found in the cache: false
	// found in the cache: true
	// restored: true
}

// A conversation that the context has no room for loses its oldest turns, and no system message.
func ExampleEngine_FitChatPrompt() {
	eng := opened()

	messages := []chat.Message{{Role: "system", Content: "Be brief."}}
	for range 20 {
		messages = append(messages, chat.Message{Role: "user", Content: "Tell me a story about a fox and a kite."},
			chat.Message{Role: "assistant", Content: "A fox flew a kite. The wind took it. He made another."})
	}
	messages = append(messages, chat.Message{Role: "user", Content: "And then?"})
	prompt, dropped, err := eng.FitChatPrompt(messages, chat.Options{}, 0)
	check(err)
	fmt.Println(len(prompt) < eng.Info().Context, dropped > 0, dropped%2)
	// Output:
	// true true 0
}
