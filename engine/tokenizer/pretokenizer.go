package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// A pre-tokenizer cuts text into pre-tokens, inside which alone pairs merge. It is a row of passes;
// each cuts the pieces that the one before left. Published as regular expressions with lookahead,
// which Go's regexp lacks, they are scanners over runes here.
type preTokenizer struct {
	passes       []pass
	ignoreMerges bool // whole pre-tokens that are tokens stay whole
	addBOS       bool // unless the metadata say otherwise
}

var (
	gpt2Passes   = []pass{gpt2}
	digitPasses  = []pass{each(isNumber), gpt2}
	llama3Passes = []pass{llama3}
)

// preTokenizers by the name in tokenizer.ggml.pre. The names on one line share their patterns.
var preTokenizers = byName([]named{
	{"gpt-2 mpt olmo jais phi-2 gigachat exaone4 trillion granite-docling modern-bert jina-es jina-de a.x-4.0 mellum jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe", preTokenizer{passes: gpt2Passes}},
	{"starcoder refact smollm command-r codeshell exaone minerva-7b mellum2", preTokenizer{passes: digitPasses}},
	{"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", preTokenizer{passes: llama3Passes, ignoreMerges: true, addBOS: true}},
	{"dbrx smaug-bpe chatglm-bpe", preTokenizer{passes: llama3Passes}},
	{"glm4 glm5", preTokenizer{passes: llama3Passes, ignoreMerges: true}},
	{"qwen2 deepseek-r1-qwen megrez stablelm2 hunyuan kormo grok-2 f2llmv2 solar-open bailingmoe bailingmoe2 llada-moe", preTokenizer{passes: []pass{qwen2}}},
	{"qwen35", preTokenizer{passes: []pass{qwen35}}},
	{"falcon", preTokenizer{passes: []pass{runs(isFalconPunctuation), gpt2, threeDigits}}},
	{"deepseek-llm", preTokenizer{passes: []pass{each(isNewline), spaced(isCased), spaced(isWidePunctuation), trailingSpace, runs(isHanOrHangul), runs(isNumber)}}},
	{"deepseek-coder", preTokenizer{passes: []pass{each(isNewline), spaced(isLetter), spaced(isPunctuation), runs(isHanOrHangul), each(isNumber)}}},
	{"spark2_5", preTokenizer{passes: []pass{each(isNumber), runs(isChineseOrKana), spark}}},
	{"youtu", preTokenizer{passes: []pass{runs(isHangul), runs(isWideMark), runs(isBopomofo), runs(isChineseOrKana), youtu}, ignoreMerges: true}},
	{"jais-2", preTokenizer{passes: []pass{jais2}}},
	{"minicpm5", preTokenizer{passes: []pass{threeNumbers, llama3}, ignoreMerges: true}},
	{"laguna", preTokenizer{passes: []pass{lines, qwen2}}},
	{"seed-coder", preTokenizer{passes: []pass{seedCoder}}},
	{"ufakzeka", preTokenizer{passes: []pass{ufakzeka}}},
	{"exaone-moe", preTokenizer{passes: []pass{exaoneMoE}}},
	{"tekken", preTokenizer{passes: []pass{tekken}, ignoreMerges: true, addBOS: true}},
	{"gpt-4o llama4 kanana2 talkie minimax-m2", preTokenizer{passes: []pass{gpt4o}}},
	{"granite-embed-multi-97m", preTokenizer{passes: []pass{gpt4o}, ignoreMerges: true}},
	{"tiny_aya cohere2moe", preTokenizer{passes: []pass{thousandsOfWords, gpt4o}}},
	{"superbpe", preTokenizer{passes: []pass{runs(isNumber), thousands}}},
	{"deepseek-v3 hunyuan-dense joyai-llm hy_v4", preTokenizer{passes: []pass{threeNumbers, runs(isChineseOrKana), deepseek3}}},
	{"kimi-k2", preTokenizer{passes: []pass{kimi}}},
	{"afmoe", preTokenizer{passes: []pass{thousandsOfNumbers, runs(isAsian), deepseek3}}},
	{"chameleon", preTokenizer{passes: []pass{imageTokens, indents, each(isNumber), each(isFalconPunctuation), gpt2}, addBOS: true}},
	{"poro-chat bloom gpt3-finnish", preTokenizer{passes: []pass{bloom}}},
	{"viking", preTokenizer{passes: []pass{bloom, each(isNumber)}}},
	{"default", preTokenizer{passes: []pass{runs(isDefaultPunctuation), gpt2, runs(isNumber), threeDigits}}},
})

// named is what names that stand for the same split share.
type named struct {
	names string
	is    preTokenizer
}

func byName(groups []named) map[string]preTokenizer {
	all := map[string]preTokenizer{}
	for _, group := range groups {
		for _, name := range strings.Fields(group.names) {
			all[name] = group.is
		}
	}
	all[""] = all["default"] // files without the key; llama.cpp reads them so too
	return all
}

// scan is a text taken apart into runes. A byte that is no UTF-8 counts as U+FFFD, one byte long.
type scan struct {
	runes   []rune
	classes []class
	offsets []int // of each rune's first byte, and of the text's end
	cuts    []int // rune indices at which the pieces end
	spare   []int
}

// split cuts text into pre-tokens and calls yield with each.
func (s *scan) split(text string, passes []pass, yield func(preToken string)) {
	s.read(text)
	s.cuts = append(s.cuts[:0], len(s.runes))
	for _, cut := range passes {
		next, start := s.spare[:0], 0
		for _, end := range s.cuts {
			next = cut(s, start, end, next)
			start = end
		}
		s.cuts, s.spare = next, s.cuts
	}
	start := 0
	for _, end := range s.cuts {
		yield(text[s.offsets[start]:s.offsets[end]])
		start = end
	}
}

func (s *scan) read(text string) {
	plane := planeClasses()
	s.runes, s.classes, s.offsets = s.runes[:0], s.classes[:0], s.offsets[:0]
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		c := class(0)
		if r < 0x10000 {
			c = plane[r]
		} else {
			c = supplementaryClass(r)
		}
		s.runes, s.classes, s.offsets = append(s.runes, r), append(s.classes, c), append(s.offsets, i)
		i += size
	}
	s.offsets = append(s.offsets, len(text))
}
