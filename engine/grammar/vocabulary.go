package grammar

import (
	"bytes"
	"sort"
)

// Vocabulary is a model's tokens as a trie of their bytes. Grammars share it.
type Vocabulary struct {
	size    int
	eos     []int32
	nodes   []trieNode
	same    map[int32][]int32 // more tokens of the bytes of one
	tokens  [][]byte          // nil: never stands for bytes
	longest int
}

// trieNode is a node of the trie. Nodes stand in the order of a walk that goes deep first, so the whole trie below one is
// what lies before skip.
type trieNode struct {
	skip  int32
	token int32 // -1: no token ends here
	depth uint16
	b     byte
	more  bool // several tokens end here
}

// longestToken bounds what the trie takes: a longer token is never allowed.
const longestToken = 1 << 12

// NewVocabulary makes a vocabulary of tokens' bytes. The tokens eos end a text; those, special tokens and empty ones never
// stand for bytes.
func NewVocabulary(tokens [][]byte, eos, special []int32) *Vocabulary {
	v := &Vocabulary{size: len(tokens), same: map[int32][]int32{}}
	hidden := make([]bool, len(tokens))
	for _, list := range [][]int32{eos, special} {
		for _, id := range list {
			if 0 <= id && int(id) < len(tokens) {
				hidden[id] = true
			}
		}
	}
	for _, id := range eos {
		if 0 <= id && int(id) < len(tokens) {
			v.eos = append(v.eos, id)
		}
	}
	var ids []int32
	total := 0
	for i, t := range tokens {
		if !hidden[i] && len(t) > 0 && len(t) <= longestToken {
			ids = append(ids, int32(i))
			v.longest = max(v.longest, len(t))
			total += len(t)
		}
	}
	sort.Slice(ids, func(i, j int) bool {
		c := bytes.Compare(tokens[ids[i]], tokens[ids[j]])
		return c < 0 || c == 0 && ids[i] < ids[j]
	})
	v.tokens = make([][]byte, len(tokens))
	for _, id := range ids {
		v.tokens[id] = tokens[id]
	}
	v.nodes = make([]trieNode, 0, total/2)
	var path []int32 // the nodes of the token before
	var before []byte
	for _, id := range ids {
		t := tokens[id]
		n := 0
		for n < len(t) && n < len(before) && t[n] == before[n] {
			n++
		}
		if n == len(t) { // sorted, so it is the same token
			first := v.nodes[path[n-1]].token
			v.nodes[path[n-1]].more = true
			v.same[first] = append(v.same[first], id)
			continue
		}
		v.close(path[n:])
		path = path[:n]
		for d := n; d < len(t); d++ {
			path = append(path, int32(len(v.nodes)))
			v.nodes = append(v.nodes, trieNode{token: -1, depth: uint16(d), b: t[d]})
		}
		v.nodes[len(v.nodes)-1].token = id
		before = t
	}
	v.close(path)
	return v
}

func (v *Vocabulary) close(path []int32) {
	for _, n := range path {
		v.nodes[n].skip = int32(len(v.nodes))
	}
}

// Size is the number of tokens.
func (v *Vocabulary) Size() int { return v.size }

// MaskWords is how many words a mask of the vocabulary has.
func (v *Vocabulary) MaskWords() int { return (v.size + 31) / 32 }

// allow sets the bits of the tokens that end at a node.
func (v *Vocabulary) allow(mask []uint32, n *trieNode) {
	if n.token < 0 {
		return
	}
	mask[n.token>>5] |= 1 << (n.token & 31)
	if n.more {
		for _, id := range v.same[n.token] {
			mask[id>>5] |= 1 << (id & 31)
		}
	}
}

// text is the bytes that a token stands for.
func (v *Vocabulary) text(id int32) ([]byte, bool) {
	if id < 0 || int(id) >= len(v.tokens) || v.tokens[id] == nil {
		return nil, false
	}
	return v.tokens[id], true
}
