#!/usr/bin/env python3
"""Writes the masks that llguidance has for random regular expressions and context-free grammars, along random texts.

    pip install llguidance==1.9.1
    python masks.py OUT.jsonl [--prefixes 10000] [--seed 1] [--tokens TOKENS.jsonl]

The first line holds the vocabulary: each token in hexadecimal, the last one being the end. Each line after it is one grammar
along one text: {"kind", "source", "tokens": the text, "masks": before each token and behind the last, in hexadecimal}.
--tokens takes a file of such tokens in place of the vocabulary that is made here; then masks are their CRC-32.
"""
import argparse, json, random, zlib
import llguidance as ll
import numpy as np
import llguidance.numpy as lln

ap = argparse.ArgumentParser()
ap.add_argument("out")
ap.add_argument("--prefixes", type=int, default=10000)
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--tokens")
args = ap.parse_args()
rnd = random.Random(args.seed)


def made():
    """All bytes, and pieces of the alphabet that the grammars use, also across characters' bounds."""
    tokens = [bytes([b]) for b in range(256)]
    seen = set(tokens)
    letters = ["a", "b", "c", "d", "x", "y", "0", "1", "9", " ", "(", ")", "+", ",", "-", "é", "日", "😀", "Foo", "Bar", "\n", '"']
    while len(tokens) < 607:
        t = "".join(rnd.choice(letters) for _ in range(rnd.randint(2, 6))).encode()
        if rnd.random() < 0.2:
            t = t[rnd.randint(0, 1):len(t) - rnd.randint(0, 1)]
        if t and t not in seen:
            seen.add(t)
            tokens.append(t)
    return tokens + [b"<end>"]


class Wrapped:
    def __init__(self, tokens):
        self.tokens, self.eos_token_id, self.bos_token_id = tokens, len(tokens) - 1, None
        self.special_token_ids = [len(tokens) - 1]

    def __call__(self, s):
        return list(s if isinstance(s, bytes) else s.encode())


tokens = [bytes.fromhex(t) for t in json.load(open(args.tokens))] if args.tokens else made()
tokenizer = ll.LLTokenizer(ll.TokenizerWrapper(Wrapped(tokens)))


def regex(depth):
    """\\d and \\w are left out: llguidance and Go know them by different versions of Unicode."""
    k = rnd.random()
    if depth == 0 or k < 0.35:
        return rnd.choice(["a", "b", "c", "d", "x", "y", "0", "9", " ", "\\(", "\\+", ",", "é", "日", "😀", "[a-d]", "[^a]", "[^ab0-9]", ".", "\\s", "\\S",
                           "[0-9x]", "Foo", "Bar", "[é-日]", "\\n", "(?i:foo)", "\\p{Greek}", "[^x日]"])
    if k < 0.6:
        return regex(depth - 1) + regex(depth - 1)
    if k < 0.75:
        return "(" + regex(depth - 1) + "|" + regex(depth - 1) + ")"
    inner = "(" + regex(depth - 1) + ")"
    return inner + rnd.choice(["*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,200}", "{3,120}", "*?"])


def cfg():
    """A grammar in which every rule ends; single characters and words of other letters are its terminals, for llguidance's
    lexer prefers long ones where they overlap."""
    n = rnd.randint(1, 5)
    names = [f"r{i}" for i in range(n)]
    terminals = ['"a"', '"b"', '"c"', '"("', '")"', '"+"', '","', '"Foo"', '"Bar"', "[0-9]", "[xy]", '"é"', '"日"']
    rules = {}
    for name in names:
        alternatives = [[rnd.choice(terminals) for _ in range(rnd.randint(0 if name != "r0" else 1, 2))]]
        for _ in range(rnd.randint(1, 3)):
            one = []
            for _ in range(rnd.randint(1, 4)):
                item = rnd.choice(names) if rnd.random() < 0.45 else rnd.choice(terminals)
                if rnd.random() < 0.15:
                    item += rnd.choice(["*", "?", "+"])
                one.append(item)
            alternatives.append(one)
        rules[name] = alternatives
    gbnf, lark = ["root ::= r0"], [FREE, "start: r0"]
    used = []

    def term(t):
        suffix = t[-1] if t[-1] in "*?+" and len(t) > 3 else ""
        body = t[: len(t) - len(suffix)]
        if body[0] == "[":
            key = "T" + "".join(c for c in body if c.isalnum()).upper()
            used.append(f"{key}: /{body}/")
            return key + suffix
        return t

    for name, alternatives in rules.items():
        gbnf.append(f"{name} ::= " + " | ".join(" ".join(a) or '""' for a in alternatives))
        lark.append(f"{name}: " + " | ".join(" ".join(term(t) for t in a) for a in alternatives))
    return "\n".join(gbnf) + "\n", "\n".join(lark + sorted(set(used))) + "\n"


def text(matcher, most):
    """A random walk, with the masks on its way."""
    ids, masks = [], []
    mask = lln.allocate_token_bitmask(1, len(tokens))
    while True:
        lln.fill_next_token_bitmask(matcher, mask, 0)
        if matcher.is_error():
            return None
        raw = mask[0].astype("<u4").tobytes()
        masks.append(raw.hex() if not args.tokens else "%08x" % zlib.crc32(raw))
        allowed = np.nonzero(np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little"))[0]
        allowed = [int(i) for i in allowed if i != len(tokens) - 1]
        if len(ids) == most or not allowed:
            return ids, masks
        if rnd.random() < 0.6:
            long = [i for i in allowed if len(tokens[i]) > 1]
            allowed = long or allowed
        ids.append(rnd.choice(allowed))
        matcher.consume_token(ids[-1])


# Otherwise bytes that must come are allowed as the tokenizer's own tokens only.
FREE = '%llguidance {"no_forcing": true}'

prefixes = 0
with open(args.out, "w") as out:
    json.dump({"tokens": [t.hex() for t in tokens]} if not args.tokens else {"tokens": None}, out)
    out.write("\n")
    while prefixes < args.prefixes:
        if rnd.random() < 0.5:
            kind, source = "regex", regex(4)
            grammar = ll.LLMatcher.grammar_from_lark(f"{FREE}\nstart: /{source}/\n")
        else:
            kind = "gbnf"
            source, lark = cfg()
            grammar = ll.LLMatcher.grammar_from_lark(lark)
        for _ in range(2):
            matcher = ll.LLMatcher(tokenizer, grammar)
            if matcher.is_error():
                if "empty" not in matcher.get_error():
                    print(kind, source, matcher.get_error()[:200])
                break
            found = text(matcher, 14)
            if found is None:
                print("stopped:", kind, repr(source), matcher.get_error()[:200])
                break
            prefixes += len(found[1])
            json.dump({"kind": kind, "source": source, "tokens": found[0], "masks": found[1]}, out, ensure_ascii=False)
            out.write("\n")
