// KV cache rows of f32 whose head dim is a multiple of 4, read four elements at a time (see kv_f32).
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = vec4<f32>;
const KV_ROW: u32 = HEAD_DIM / 4u;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad / 4u; }

fn k_column(at: u32, c: u32) -> vec4<f32> { return k_cache[at + c]; }
fn v_column(at: u32, c: u32) -> vec4<f32> { return v_cache[at + c]; }
