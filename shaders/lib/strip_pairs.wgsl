// A strip's units of two words each, read two at once.
//! include: weights
//! const STRIPS: u32  strips of 32 weights in a row
alias Strip = array<Unit, 4>;
@group(0) @binding(1) var<storage, read> wide: array<vec4<u32>>;

fn strip_at(row: u32, strip: u32) -> Strip {
    let at = (row * STRIPS + strip) * 2u;
    let a = wide[at];
    let b = wide[at + 1u];
    return Strip(a.xy, a.zw, b.xy, b.zw);
}
