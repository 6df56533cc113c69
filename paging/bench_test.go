package paging

import "testing"

func benchManager(b *testing.B, cache bool) *Manager {
	m, err := NewManager(Config{BlockSize: 16, Blocks: 4096, PrefixCache: cache})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkAllocateFree takes one block for a sequence and gives it back.
func BenchmarkAllocateFree(b *testing.B) {
	m := benchManager(b, false)
	t, tokens := m.NewTable(Extras{}), make([]int32, 15)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Allocate(t, tokens, All, 0); err != nil {
			b.Fatal(err)
		}
		m.Free(t)
	}
}

// BenchmarkAppend takes one token's slot at a time, with the prefix cache hashing and publishing each full block.
func BenchmarkAppend(b *testing.B) {
	m := benchManager(b, true)
	t, tokens := m.NewTable(Extras{}), make([]int32, 4096)
	for i := range tokens {
		tokens[i] = int32(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if t.Tokens() == 0 {
			if _, err := m.Allocate(t, tokens, 1, 0); err != nil {
				b.Fatal(err)
			}
			continue
		}
		if err := m.Append(t, tokens, 1); err != nil {
			b.Fatal(err)
		}
		if t.Tokens() == len(tokens) {
			m.Free(t)
			tokens[0]++ // nothing of it is cached
		}
	}
}

// BenchmarkHit allocates a prompt of 512 tokens whose blocks are all cached.
func BenchmarkHit(b *testing.B) {
	m := benchManager(b, true)
	t, tokens := m.NewTable(Extras{}), make([]int32, 513)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Allocate(t, tokens, All, 0); err != nil {
			b.Fatal(err)
		}
		m.Free(t)
	}
}
