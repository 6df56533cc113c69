package schedule

import (
	"encoding/binary"
	"math/rand/v2"

	"pgregory.net/rapid"
)

// choices is where a random walk takes its turns from: a generator, a fuzzer's bytes, or what rapid draws.
type choices interface{ below(n int) int }

type generated struct{ *rand.Rand }

func (g generated) below(n int) int { return g.IntN(n) }

type given struct{ data []byte }

func (g *given) below(n int) int {
	if len(g.data) < 2 {
		g.data = nil
		return 0
	}
	v := binary.LittleEndian.Uint16(g.data)
	g.data = g.data[2:]
	return int(v) % n
}

type drawn struct{ *rapid.T }

func (d drawn) below(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "") }
