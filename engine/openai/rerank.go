package openai

import (
	"context"
	"math"
	"sort"

	"quire/engine/generation"
	"quire/engine/json"
)

// RerankRequest asks how well texts answer a query. The form is that of Jina, Cohere and llama-server.
type RerankRequest struct {
	Model           string // "": the only model, or the first
	Query           string
	Documents       []string
	TopN            *int // so many of the best; nil: all
	ReturnDocuments bool
	RawScores       bool // as the model gives them, not between 0 and 1

	Priority int
	User     string
	Tenant   string // turns are shared out among tenants; "": the user

	reader reader
}

// Ranking is what /v1/rerank answers.
type Ranking struct {
	ID       string      `json:"id"`
	Object   string      `json:"object"` // "list"
	Model    string      `json:"model"`
	Results  []Ranked    `json:"results"` // the best first
	Usage    PromptUsage `json:"usage"`
	Warnings []string    `json:"warnings,omitempty"`
}

// Ranked is one of the documents.
type Ranked struct {
	Index    int             `json:"index"` // among the request's documents
	Score    float64         `json:"relevance_score"`
	Document *RankedDocument `json:"document,omitempty"`
}

// RankedDocument is a document's text.
type RankedDocument struct {
	Text string `json:"text"`
}

// ReadRerankRequest reads the body of a call of /v1/rerank.
func ReadRerankRequest(body []byte) (*RerankRequest, error) {
	q := &RerankRequest{}
	r := &q.reader
	f := r.read(body)
	q.Model = f.textOr("model", "")
	f.need("query")
	q.Query = f.textOr("query", "")
	q.Documents = readDocuments(f)
	q.TopN = f.integer("top_n")
	q.ReturnDocuments, q.RawScores = f.is("return_documents"), f.is("raw_scores")
	q.Priority, q.User = valueOr(f.integer("priority"), 0), f.textOr("user", "")
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// readDocuments reads texts, or objects that have one. Text Embeddings Inference calls them texts.
func readDocuments(f *fields) []string {
	name := "documents"
	if f.value(name) == nil && f.value("texts") != nil {
		name = "texts"
	}
	f.need(name)
	list := f.list(name)
	documents := make([]string, len(list))
	for i, v := range list {
		path := item(f.at(name), i)
		switch v := v.(type) {
		case string:
			documents[i] = v
		case *json.Object:
			o := f.r.fields(v, path)
			o.need("text")
			documents[i] = o.textOr("text", "")
			o.done()
		default:
			f.r.wrong(path, v, "text, or an object with a text")
		}
	}
	return documents
}

// Rerank ranks documents by a query.
func (a *API) Rerank(ctx context.Context, q *RerankRequest) (*Ranking, error) {
	c := &checker{}
	c.length("documents", len(q.Documents), 1, maxPrompts)
	c.integer("top_n", q.TopN, 1, anyNumber)
	if q.Query == "" {
		c.fail(invalid("query", "invalid_value", `"query" is empty.`))
	}
	if c.err != nil {
		return nil, c.err
	}
	l, err := a.take(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	requests, err := l.pairs(q)
	if err != nil {
		l.release()
		return nil, err
	}
	f, failed := l.start(ctx, requests)
	if failed != nil {
		return nil, asError(failed, "documents")
	}
	results, failed := f.results()
	if failed != nil {
		return nil, asError(failed, "documents")
	}
	return q.ranking(a.newID("rerank-"), l.name, results), nil
}

// pairs are the requests for the scores of documents.
func (l *lease) pairs(q *RerankRequest) ([]generation.Request, *Error) {
	if !l.about.Scores {
		return nil, unsupported("model", "The model %q gives no scores: ranking needs a model made for it.", l.name)
	}
	requests := make([]generation.Request, len(q.Documents))
	for i, document := range q.Documents {
		ids, err := l.engine.PairPrompt(q.Query, document)
		if err != nil {
			return nil, asError(err, item("documents", i))
		}
		if err := l.holds(ids, item("documents", i)); err != nil {
			return nil, err
		}
		requests[i] = generation.Request{Prompt: ids, Priority: q.Priority, Tenant: tenant(q.Tenant, q.User), Embed: &generation.Embed{Pooling: generation.PoolRank}}
	}
	return requests, nil
}

// ranking sorts documents by their scores.
func (q *RerankRequest) ranking(id, model string, results []generation.Result) *Ranking {
	ranking := &Ranking{ID: id, Object: "list", Model: model, Results: make([]Ranked, len(results)), Warnings: q.reader.warnings}
	for i, r := range results {
		ranked := Ranked{Index: i, Score: score(r.Scores, q.RawScores)}
		if q.ReturnDocuments {
			ranked.Document = &RankedDocument{q.Documents[i]}
		}
		ranking.Results[i] = ranked
		ranking.Usage.PromptTokens += r.Figures.PromptTokens
	}
	ranking.Usage.TotalTokens = ranking.Usage.PromptTokens
	sort.SliceStable(ranking.Results, func(i, j int) bool { return ranking.Results[i].Score > ranking.Results[j].Score })
	if q.TopN != nil {
		ranking.Results = ranking.Results[:min(*q.TopN, len(ranking.Results))]
	}
	return ranking
}

// score is a document's: a model's single logit as a probability, or the first of several labels.
func score(scores []float32, raw bool) float64 {
	switch {
	case len(scores) == 0:
		return 0
	case raw || len(scores) > 1:
		return float64(scores[0])
	}
	return 1 / (1 + math.Exp(-float64(scores[0])))
}

func (a *API) handleRerank(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadRerankRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	q.Tenant = c.Tenant
	return whole(a.Rerank(ctx, q))
}

func (r *Ranking) notes() (string, []string) { return "", r.Warnings }
