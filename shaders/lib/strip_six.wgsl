// A strip's units of a word each, and the two words of what they have above, each for two units.
//! include: weights
//! const STRIPS: u32  strips of 32 weights in a row
alias Strip = array<Unit, 4>;
@group(0) @binding(1) var<storage, read> wide: array<vec2<u32>>;

fn strip_at(row: u32, strip: u32) -> Strip {
    let at = (row * STRIPS + strip) * 3u;
    let a = wide[at];
    let b = wide[at + 1u];
    let above = wide[at + 2u];
    return Strip(vec2<u32>(a.x, above.x), vec2<u32>(a.y, above.x >> 2u), vec2<u32>(b.x, above.y), vec2<u32>(b.y, above.y >> 2u));
}
