#!/bin/sh
# In llama.cpp's library DRY over "the whole context" (-1 tokens) is no DRY at all.
#
# node-llama-cpp 3.22.1's build of libllama (llama.cpp v0.5.0), called from Python on a tiny model of random weights.
# Older versions of llama_sampler_init_dry were told the context's size, and --dry-penalty-last-n is -1 for all of it in the tools'
# help. This one is not told: whoever hands it -1 gets a sampler that changes nothing, without a word. It wants the number of tokens.
#
# Output seen, after the tokens 5 6 7 8 5 6 7:
#   DRY over 64 tokens takes 1.4 off token 8
#   DRY over -1 tokens takes 0.0 off token 8
#   confirmed
#
# Fails when -1 does something.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent @node-llama-cpp/linux-x64@3.22.1 >/dev/null
tar xzf node-llama-cpp-linux-x64-3.22.1.tgz
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check gguf==0.17.1 numpy==2.3.4
cat >dry.py <<'END'
import ctypes as C, os, sys
import gguf, numpy as np

w = gguf.GGUFWriter('tiny.gguf', 'llama')
dim, tokens = 32, ['<%d>' % i for i in range(32)]
for name, value in (('context_length', 128), ('embedding_length', dim), ('block_count', 1), ('feed_forward_length', 32), ('attention.head_count', 1)):
    w.add_uint32('llama.' + name, value)
w.add_float32('llama.attention.layer_norm_rms_epsilon', 1e-5)
w.add_tokenizer_model('gpt2')
w.add_tokenizer_pre('gpt-2')
w.add_token_list(tokens)
w.add_token_types([1] * len(tokens))
w.add_token_merges(['a b'])
w.add_bos_token_id(0)
w.add_eos_token_id(1)
random = np.random.default_rng(1)
for name in ['token_embd', 'output'] + ['blk.0.' + n for n in ('attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down')]:
    w.add_tensor(name + '.weight', random.standard_normal((32, dim)).astype(np.float32))
for name in ('output_norm', 'blk.0.attn_norm', 'blk.0.ffn_norm'):
    w.add_tensor(name + '.weight', np.ones(dim, np.float32))
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

folder = 'package/bins/linux-x64'
for name in ('libggml-base.so', 'libggml.v0.5.0.so'):
    G = C.CDLL(os.path.abspath(os.path.join(folder, name)), mode=C.RTLD_GLOBAL)
L = C.CDLL(os.path.abspath(os.path.join(folder, 'libllama.v0.5.0.so')), mode=C.RTLD_GLOBAL)
G.ggml_backend_load_all_from_path(os.path.abspath(folder).encode())
class Settings(C.Structure): _fields_ = [('bytes', C.c_uint8 * 256)] # larger than the library's own
class Token(C.Structure): _fields_ = [('id', C.c_int), ('logit', C.c_float), ('p', C.c_float)]
class Tokens(C.Structure): _fields_ = [('data', C.POINTER(Token)), ('size', C.c_size_t), ('selected', C.c_int64), ('sorted', C.c_bool)]
for name, result, takes in (
    ('llama_model_default_params', Settings, []), ('llama_model_load_from_file', C.c_void_p, [C.c_char_p, Settings]),
    ('llama_model_get_vocab', C.c_void_p, [C.c_void_p]),
    ('llama_sampler_init_dry', C.c_void_p, [C.c_void_p, C.c_float, C.c_float, C.c_int, C.c_int, C.POINTER(C.c_char_p), C.c_size_t]),
    ('llama_sampler_accept', None, [C.c_void_p, C.c_int]), ('llama_sampler_apply', None, [C.c_void_p, C.POINTER(Tokens)]),
):
    f = getattr(L, name)
    f.restype, f.argtypes = result, takes
vocab = L.llama_model_get_vocab(L.llama_model_load_from_file(b'tiny.gguf', L.llama_model_default_params()))

def taken(sampler):
    for token in (5, 6, 7, 8, 5, 6, 7):
        L.llama_sampler_accept(sampler, token)
    data = (Token * 32)(*[Token(i, 0, 0) for i in range(32)])
    all = Tokens(data, 32, -1, False)
    L.llama_sampler_apply(sampler, C.byref(all))
    return -all.data[8].logit

none = (C.c_char_p * 1)()
some, whole = (taken(L.llama_sampler_init_dry(vocab, 0.8, 1.75, 2, n, none, 0)) for n in (64, -1))
print('DRY over 64 tokens takes %.1f off token 8' % some)
print('DRY over -1 tokens takes %.1f off token 8' % abs(whole))
holds = some > 1 and whole == 0
print('confirmed' if holds else 'CHANGED')
sys.exit(not holds)
END
venv/bin/python dry.py 2>log || { tail -n 5 log; exit 1; }
