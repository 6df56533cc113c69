// A strip's units of a word each, read at once.
//! include: weights
//! const STRIPS: u32  strips of 32 weights in a row
alias Strip = array<Unit, 4>;
@group(0) @binding(1) var<storage, read> wide: array<vec4<u32>>;

fn strip_at(row: u32, strip: u32) -> Strip {
    let w = wide[row * STRIPS + strip];
    return Strip(w.x, w.y, w.z, w.w);
}
