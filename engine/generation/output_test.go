package generation

// output keeps what a generation gives.
type output struct {
	chunks []Chunk
	result *Result
}

func (o *output) Push(c Chunk)    { o.chunks = append(o.chunks, c) }
func (o *output) Finish(r Result) { o.result = &r }
