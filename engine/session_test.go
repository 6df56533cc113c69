package engine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/session"
	"quire/engine/step"
)

// equal is the setting of tests that compare texts: deterministic, and small blocks.
func equal(set ...func(*Options)) Options {
	o := Options{Deterministic: true, Context: 128, BlockSize: 8, MaxSeqs: 8}
	for _, f := range set {
		f(&o)
	}
	return o
}

// turn is a request whose tokens are compared with their logits.
func turn(prompt []int32, tokens int) Request {
	r := Request{Prompt: prompt, MaxTokens: tokens, IgnoreEnd: true}
	r.Sample.Logprobs = 1
	return r
}

// A saved session goes on elsewhere with the tokens it would have given, and a file that does not fit changes nothing.
func TestSession(t *testing.T) {
	first := testPrompts(4)[3][:21]
	e := openModel(t, "tiny-tales", equal(func(o *Options) { o.Depth = 3 }))
	said := results(t, e, []Request{turn(first, 20)})[0].IDs
	s := e.NewSession(first...)
	s.Append(said...)
	var file bytes.Buffer
	require.NoError(t, s.Save(&file))
	e.trace = func(*step.Step) { time.Sleep(50 * time.Millisecond) } // so that it runs as long as the file is saved
	beside := submit(t, e, Request{Prompt: first, MaxTokens: 60, IgnoreEnd: true})
	_, more := beside.Next()
	require.True(t, more)
	var meanwhile bytes.Buffer
	require.NoError(t, s.Save(&meanwhile))
	assert.Equal(t, file.Bytes(), meanwhile.Bytes(), "saved while steps are in flight")
	beside.Cancel()
	require.Equal(t, FinishCancelled, beside.Result().Reason)
	e.trace = nil

	next := append(s.Tokens(), 7, 8, 9)
	want := results(t, e, []Request{turn(next, 12)})
	require.Equal(t, 40, want[0].Figures.CachedTokens)
	plain := openModel(t, "tiny-tales", equal(func(o *Options) { o.NoPrefixCache = true }))
	assertSame(t, results(t, plain, []Request{turn(next, 12)}), want, "with the prefix cache")
	require.NoError(t, errors.Join(e.Close(), plain.Close()))

	other := openModel(t, "tiny-tales", equal())
	bad := bytes.Clone(file.Bytes())
	bad[len(bad)/2] ^= 1
	_, err := other.Restore(bytes.NewReader(bad))
	require.ErrorIs(t, err, ErrSessionDamaged)
	_, err = other.Restore(bytes.NewReader(file.Bytes()[:file.Len()-1]))
	require.ErrorIs(t, err, ErrSessionDamaged)
	_, err = other.Restore(bytes.NewReader([]byte("no session at all")))
	require.ErrorIs(t, err, ErrSessionFormat)
	require.Zero(t, other.Stats().Blocks.Cached)
	_, err = other.Restore(halfRead{bytes.NewReader(file.Bytes())})
	require.ErrorIs(t, err, errGone)
	require.Zero(t, other.Stats().Blocks.Cached, "what was not read is not promised")
	p := poisoned(t, other)
	again, err := other.Restore(struct{ io.ReadSeeker }{bytes.NewReader(file.Bytes())})
	require.NoError(t, err)
	assert.Equal(t, s.Tokens(), again.Tokens())
	got := results(t, other, []Request{turn(append(again.Tokens(), 7, 8, 9), 12)})
	assertSame(t, want, got, "restored")
	assert.Equal(t, 40, got[0].Figures.CachedTokens, "five whole blocks came back")
	assert.NotZero(t, p.blocks)

	for name, set := range map[string]func(*Options){
		"another KV type":    func(o *Options) { o.KVType = "f32" },
		"another block size": func(o *Options) { o.BlockSize = 16 },
	} {
		e := openModel(t, "tiny-tales", equal(set))
		_, err := e.Restore(bytes.NewReader(file.Bytes()))
		require.ErrorIs(t, err, ErrSessionModel, name)
		var part *session.Error
		require.True(t, errors.As(err, &part))
		assert.Equal(t, "header", part.Part)
		require.NoError(t, e.Close())
	}
}

// What else a list of a model's header says, K and V may depend on; a vocabulary they do not.
func TestHeaderSum(t *testing.T) {
	sum := func(key string, list any) [sha256.Size]byte {
		f := &gguf.File{}
		require.NoError(t, f.Metadata.Set(key, list))
		return headerSum(f)
	}
	assert.NotEqual(t, sum("gemma3.attention.sliding_window_pattern", []bool{true, false}), sum("gemma3.attention.sliding_window_pattern", []bool{false, true}))
	assert.Equal(t, sum("tokenizer.ggml.tokens", []string{"a", "b"}), sum("tokenizer.ggml.tokens", []string{"b", "a"}))
}

// Files of earlier versions are told why they do not fit, too.
func TestSessionMisfit(t *testing.T) {
	e := openModel(t, "tiny-tales", equal())
	for version, printOf := range map[int]func(string) (session.Fingerprint, error){4: e.fingerprintBefore, session.Version: e.fingerprintOf} {
		print, err := printOf("f32")
		require.NoError(t, err)
		in := &session.Reader{Version: version, State: session.State{Fingerprint: print}}
		assert.ErrorContains(t, e.misfit(in, errGone), "KV type f32", version)
		in.Fingerprint[0]++
		assert.ErrorContains(t, e.misfit(in, errGone), "another model", version)
	}
}

// What does not fit one run of a file comes in several, and blocks that are cached already stay.
func TestSessionRuns(t *testing.T) {
	first := testPrompts(4)[3][:21]
	e := openModel(t, "tiny-tales", equal())
	s := e.NewSession(first...)
	s.Append(results(t, e, []Request{turn(first, 20)})[0].IDs...)
	e.runBlocks = 2
	var file bytes.Buffer
	require.NoError(t, s.Save(&file))
	next := append(s.Tokens(), 7, 8, 9)
	want := results(t, e, []Request{turn(next, 12)})

	for _, before := range []int{0, 24, 32} { // tokens
		other := openModel(t, "tiny-tales", equal())
		if before > 0 {
			results(t, other, []Request{turn(s.Tokens()[:before+1], 1)})
		}
		poisoned(t, other)
		_, err := other.Restore(bytes.NewReader(file.Bytes()))
		require.NoError(t, err)
		got := results(t, other, []Request{turn(next, 12)})
		assertSame(t, want, got, "restored")
		assert.Equal(t, 40, got[0].Figures.CachedTokens)
		require.NoError(t, other.Close())
	}

	tight := openModel(t, "tiny-tales", equal(func(o *Options) { o.KVMemory, o.Context = kvMemory(e, 9), 72 }))
	others := tight.NewSession(append([]int32{9}, first[:19]...)...)
	others.Append(results(t, tight, []Request{turn(others.Tokens(), 30)})[0].IDs...)
	held, err := others.Pin()
	require.NoError(t, err)
	require.Equal(t, 48, held)
	_, err = tight.Restore(bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	require.NoError(t, others.Unpin())
	got := results(t, tight, []Request{turn(next, 12)})
	assertSame(t, want, got, "restored in part")
	assert.Equal(t, 24, got[0].Figures.CachedTokens, "there was room for a run and a half")
}

var errGone = errors.New("the file is gone")

// halfRead is a file of which the second half of the blocks is gone.
type halfRead struct{ *bytes.Reader }

func (h halfRead) ReadAt(p []byte, at int64) (int, error) {
	if at > 0 && len(p) > int(h.Size())/2 {
		return 0, errGone
	}
	return h.Reader.ReadAt(p, at)
}

// A pin keeps a conversation in a cache that others fill, and gives way when one of them needs all of it.
func TestPin(t *testing.T) {
	if runsFew() {
		t.Skip("what a pin holds depends on no host")
	}
	first := testPrompts(4)[3][:24]
	roomy := openModel(t, "tiny-tales", equal())
	o := equal(func(o *Options) { o.KVMemory, o.Context = kvMemory(roomy, 14), 112 })
	e := openModel(t, "tiny-tales", o)
	results(t, e, []Request{turn(first, 8)})
	s := e.NewSession(first...)
	held, err := s.Pin()
	require.NoError(t, err)
	require.Equal(t, 24, held)
	fill := func(seed int32, n int) {
		prompt := make([]int32, n)
		for i := range prompt {
			prompt[i] = 3 + (seed+int32(i*i))%250
		}
		results(t, e, []Request{turn(prompt, 4)})
	}
	fill(1, 70)
	fill(2, 70)
	r := results(t, e, []Request{turn(append(s.Tokens(), 5), 2)})[0]
	assert.Equal(t, 24, r.Figures.CachedTokens)
	assert.Equal(t, 1, e.Stats().Pinned)
	fill(3, 108)
	assert.Equal(t, uint64(1), e.Stats().PinsYielded)
	require.NoError(t, s.Unpin())
	held, err = s.Pin()
	require.NoError(t, err)
	assert.Zero(t, held, "nothing is left to hold")
}
