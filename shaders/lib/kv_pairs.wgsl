// Columns of KV cache rows whose words hold two elements, any head dim: kv_join, of the type, opens two words.
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = u32;
const KV_ROW: u32 = (HEAD_DIM + 1u) / 2u;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad; }

fn k_column(at: u32, c: u32) -> vec4<f32> {
    let word = at + 2u * c;
    var b = 0u;
    if 2u * c + 1u < KV_ROW {
        b = k_cache[word + 1u];
    }
    return kv_join(k_cache[word], b, c);
}

fn v_column(at: u32, c: u32) -> vec4<f32> {
    let word = at + 2u * c;
    var b = 0u;
    if 2u * c + 1u < KV_ROW {
        b = v_cache[word + 1u];
    }
    return kv_join(v_cache[word], b, c);
}
