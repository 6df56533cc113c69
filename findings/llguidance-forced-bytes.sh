#!/bin/sh
# llguidance's mask does not hold every token that the grammar allows: where bytes are forced, only the tokenizer's own choice.
#
# llguidance 1.9.1 from PyPI, a grammar of one text, "Bar", and a vocabulary of bytes with the token "Ba".
# A mask is the set of tokens behind which the grammar can still be satisfied, so one compares masks of two engines bit by bit.
# Where the grammar leaves no choice of bytes, llguidance asks the tokenizer how it would write them, and the mask holds the
# first of those tokens alone: "B" but not "Ba" with a tokenizer that knows bytes only. The option "no_forcing" of a Lark
# grammar gives the whole mask.
#
# Output seen:
#   as it comes: B
#   with no_forcing: B, Ba
#   confirmed
#
# Fails when the two masks are no longer these.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet llguidance==1.9.1 numpy
cat >masks.py <<'END'
import sys
import llguidance as ll, llguidance.numpy as lln

class Bytes:
    tokens = [bytes([b]) for b in range(256)] + [b"Ba", b"<end>"]
    eos_token_id, bos_token_id, special_token_ids = 257, None, [257]
    def __call__(self, text):
        return list(text if isinstance(text, bytes) else text.encode())

tokenizer = ll.LLTokenizer(ll.TokenizerWrapper(Bytes()))

def allowed(lark):
    matcher = ll.LLMatcher(tokenizer, ll.LLMatcher.grammar_from_lark(lark))
    mask = lln.allocate_token_bitmask(1, 258)
    lln.fill_next_token_bitmask(matcher, mask, 0)
    assert not matcher.is_error(), matcher.get_error()
    return [t.decode() for i, t in enumerate(Bytes.tokens) if mask[0][i // 32] >> (i % 32) & 1]

plain = allowed('start: "Bar"')
whole = allowed('%llguidance {"no_forcing": true}\nstart: "Bar"')
print("as it comes:", ", ".join(plain))
print("with no_forcing:", ", ".join(whole))
ok = plain == ["B"] and whole == ["B", "Ba"]
print("confirmed" if ok else "CHANGED: the masks are other ones")
sys.exit(not ok)
END
venv/bin/python masks.py
