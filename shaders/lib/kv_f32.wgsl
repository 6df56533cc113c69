// KV cache rows of f32, any head dim. The kernel declares k_cache and v_cache as arrays of KvUnit. kv_place gives the unit
// where a row begins, from its number (block·KV heads + KV head)·block size + slot, and the words of padding before it. A
// column is four elements, those past the head dim read as 0.
//! const HEAD_DIM: u32  elements of a head
alias KvUnit = f32;
const KV_ROW: u32 = HEAD_DIM;
fn kv_place(row: u32, pad: u32) -> u32 { return row * KV_ROW + pad; }

fn k_column(at: u32, c: u32) -> vec4<f32> {
    let e = 4u * c;
    var x = vec4<f32>(k_cache[at + e], 0.0, 0.0, 0.0);
    if e + 1u < HEAD_DIM {
        x.y = k_cache[at + e + 1u];
    }
    if e + 2u < HEAD_DIM {
        x.z = k_cache[at + e + 2u];
    }
    if e + 3u < HEAD_DIM {
        x.w = k_cache[at + e + 3u];
    }
    return x;
}

fn v_column(at: u32, c: u32) -> vec4<f32> {
    let e = 4u * c;
    var x = vec4<f32>(v_cache[at + e], 0.0, 0.0, 0.0);
    if e + 1u < HEAD_DIM {
        x.y = v_cache[at + e + 1u];
    }
    if e + 2u < HEAD_DIM {
        x.z = v_cache[at + e + 2u];
    }
    if e + 3u < HEAD_DIM {
        x.w = v_cache[at + e + 3u];
    }
    return x;
}
