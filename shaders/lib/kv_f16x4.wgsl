// KV cache rows of f16 whose head dim is a multiple of 4, read four elements at a time (see kv_f32).
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = vec2<u32>;
const KV_ROW: u32 = HEAD_DIM / 4u;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad / 2u; }

fn kv_open(x: vec2<u32>) -> vec4<f32> { return vec4<f32>(unpack2x16float(x.x), unpack2x16float(x.y)); }
fn k_column(at: u32, c: u32) -> vec4<f32> { return kv_open(k_cache[at + c]); }
fn v_column(at: u32, c: u32) -> vec4<f32> { return kv_open(v_cache[at + c]); }
