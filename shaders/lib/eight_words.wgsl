// Eight elements of a K or V row as four words of two, which eight_f16 and eight_bf16 open: rows whose head dim is a
// multiple of 8. A column of eight past the row's end reads as what stands there and must not be used.
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = vec4<u32>;
alias Raw = vec4<u32>;
const KV_ROW: u32 = HEAD_DIM / 8u;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad / 4u; }

fn k_raw(at: u32, c: u32) -> Raw { return k_cache[at + min(c, KV_ROW - 1u)]; }
fn v_raw(at: u32, c: u32) -> Raw { return v_cache[at + min(c, KV_ROW - 1u)]; }
