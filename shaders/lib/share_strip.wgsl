// What an invocation takes of a row at once: a strip's four units of a word each, in one load.
//! include: weights
//! const STRIPS: u32  strips of 32 weights in a row
alias Share = vec4<u32>;
@group(0) @binding(1) var<storage, read> whole: array<vec4<u32>>;

fn share_at(row: u32, share: u32) -> Share { return whole[row * STRIPS + share]; }
fn share_unit(s: Share, j: u32) -> Unit {
    if j == 0u {
        return s.x;
    }
    if j == 1u {
        return s.y;
    }
    if j == 2u {
        return s.z;
    }
    return s.w;
}
