package openai_test

import (
	"context"
	"fmt"

	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

// An answer, token by token. With an engine in place of the test's, Models is local.Models{Engine: local.New(eng, "", 0)}.
func ExampleAPI_StreamChatCompletion() {
	model := openaitest.New("kite-1", openaitest.ChatML)
	model.Say = func(string, int) string { return "A toy that flies." }
	api := &openai.API{Models: &openaitest.Models{Engine: model}}

	stream, err := api.StreamChatCompletion(context.Background(), &openai.ChatRequest{
		Messages: []openai.Message{{Role: "user", Content: "What is a kite?"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for chunk, err := range stream.All() { // to break off cancels the request
		if err != nil {
			fmt.Println(err)
			return
		}
		if content := chunk.Choices[0].Delta.Content; content != nil {
			fmt.Print(*content)
		}
	}
	// Output: A toy that flies.
}

// A call as a server or a page gets it.
func ExampleAPI_Handle() {
	api := &openai.API{Models: &openaitest.Models{Engine: openaitest.New("kite-1", openaitest.ChatML)}}
	answer := api.Handle(context.Background(), openai.Call{Method: "POST", Path: "/tokenize", Body: []byte(`{"content": "kite"}`)})
	fmt.Println(answer.Status, string(answer.Body))
	// Output: 200 {"tokens":[107,105,116,101]}
}
