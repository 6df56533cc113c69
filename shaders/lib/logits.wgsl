// Logits by rank: keys order them as integers, and a slice's best is its greatest key with the lowest id.
//! include: number
//! const VOCABULARY: u32  tokens
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>; // [output][STRIDE]

const COLUMNS: u32 = (VOCABULARY + 3u) / 4u;

// logit_key orders logits: a greater logit has a greater key, and equal ones (−0 and 0 too) have the same. Key 0 is no
// logit's.
fn logit_key(x: f32) -> u32 {
    let bits = select(bitcast<u32>(x), 0u, bitcast<u32>(x) == 0x80000000u);
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

fn logit_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7FFFFFFFu, key >= 0x80000000u)); }

// NO_NUMBER is above every logit's key: the rank of infinity and NaN.
const NO_NUMBER: u32 = 0xFFFFFFFFu;

fn rank_key(x: f32) -> u32 { return select(logit_key(x), NO_NUMBER, no_number(x)); }

// best_of keeps the better of two (key, id).
fn best_of(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}
