// Reading eight elements of a K or V row as halves, from rows of any type and length. Elements past the head dim are 0.
//! slot kv: kv_f32 kv_f32x4 kv_f16 kv_f16x4 kv_bf16 kv_bf16x4 kv_q8 kv_q8x4
//! const COLUMNS: u32  vec4s of a head

fn k_eight(at: u32, c: u32) -> Eight {
    var x = Eight(half4(k_column(at, 2u * c)), Half4());
    if 2u * c + 1u < COLUMNS {
        x.high = half4(k_column(at, 2u * c + 1u));
    }
    return x;
}
fn v_eight(at: u32, c: u32) -> Eight {
    var x = Eight(half4(v_column(at, 2u * c)), Half4());
    if 2u * c + 1u < COLUMNS {
        x.high = half4(v_column(at, 2u * c + 1u));
    }
    return x;
}
