// Package openai answers the calls of the OpenAI API, and of its cousins llama-server, vLLM, Jina and Cohere, from models that
// Quire runs. It knows no transport: API.Handle takes a method, a path and a body, and gives a status and a body or a stream of
// server-sent events, for an HTTP server and for the tab alike. API.ChatCompletion and its neighbours are the same for Go.
//
// Package local makes an engine into what is asked of a model here; package http, natively only, is the server.
package openai
