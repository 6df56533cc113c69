// What an invocation takes of a row at once: two units of a word each, in one load.
//! include: weights
//! const STRIPS: u32  strips of 32 weights in a row
alias Share = vec2<u32>;
@group(0) @binding(1) var<storage, read> pairs: array<vec2<u32>>;

fn share_at(row: u32, share: u32) -> Share { return pairs[row * (STRIPS * 2u) + share]; }
fn share_unit(s: Share, j: u32) -> Unit {
    if j == 0u {
        return s.x;
    }
    return s.y;
}
