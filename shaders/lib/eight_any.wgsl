// Eight elements of a K or V row of any type and length, as two columns of four; those past the head dim are 0.
//! slot kv: kv_f32 kv_f32x4 kv_f16 kv_f16x4 kv_bf16 kv_bf16x4 kv_q8 kv_q8x4
//! const COLUMNS: u32  vec4s of a head
alias Raw = Eight;

fn k_raw(at: u32, c: u32) -> Raw {
    var x = Eight();
    if 2u * c < COLUMNS {
        x.low = k_column(at, 2u * c);
    }
    if 2u * c + 1u < COLUMNS {
        x.high = k_column(at, 2u * c + 1u);
    }
    return x;
}
fn v_raw(at: u32, c: u32) -> Raw {
    var x = Eight();
    if 2u * c < COLUMNS {
        x.low = v_column(at, 2u * c);
    }
    if 2u * c + 1u < COLUMNS {
        x.high = v_column(at, 2u * c + 1u);
    }
    return x;
}
fn opened(x: Raw) -> Eight { return x; }
