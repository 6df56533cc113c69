// Reading eight elements of a K or V row as they are stored, from rows of f16 whose head dim is a multiple of 8.
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = vec4<u32>;
const KV_ROW: u32 = HEAD_DIM / 8u;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad / 4u; }

fn eight_of(x: vec4<u32>) -> Eight { return Eight(half4_bits(x.xy), half4_bits(x.zw)); }
fn k_eight(at: u32, c: u32) -> Eight { return eight_of(k_cache[at + c]); }
fn v_eight(at: u32, c: u32) -> Eight { return eight_of(v_cache[at + c]); }
