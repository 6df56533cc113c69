// Logits by rank: keys order them as integers, and a slice's best is its greatest key with the lowest id. Tokens that the output's
// mask forbids have no rank.
//! include: step number
//! const VOCABULARY: u32  tokens
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>; // [output][STRIDE]
@group(0) @binding(2) var<storage, read> masks: array<u32>;        // [mask][MASK_WORDS]: a bit a token, 1 where it may be drawn

const COLUMNS: u32 = (VOCABULARY + 3u) / 4u;
const MASK_WORDS: u32 = (VOCABULARY + 31u) / 32u; // kernel.MaskWords
const FREE: u32 = 0xFFFFFFFFu;                    // in place of a mask

var<private> mask_at: u32 = FREE;

// take_mask has an output's mask, if any, looked at from now on.
fn take_mask(output: u32) {
    let mask = step[output + 3u] >> OUTPUT_MASK;
    if mask != 0u {
        mask_at = (mask - 1u) * MASK_WORDS;
    }
}

// logit_key orders logits: a greater logit has a greater key, and equal ones (−0 and 0 too) have the same. Key 0 is no
// logit's.
fn logit_key(x: f32) -> u32 {
    let bits = select(bitcast<u32>(x), 0u, bitcast<u32>(x) == 0x80000000u);
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

fn logit_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7FFFFFFFu, key >= 0x80000000u)); }

// keys_of gives the keys of four neighbouring tokens' logits, 0 where there is no token or it is forbidden.
fn keys_of(x: vec4<f32>, c: u32) -> vec4<u32> {
    var keys = vec4<u32>(logit_key(x.x), logit_key(x.y), logit_key(x.z), logit_key(x.w));
    if VOCABULARY % 4u != 0u {
        keys = select(vec4<u32>(0u), keys, vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(VOCABULARY));
    }
    if mask_at != FREE {
        let bits = vec4<u32>(masks[mask_at + c / 8u] >> (4u * (c % 8u)));
        keys = select(vec4<u32>(0u), keys, (bits & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u));
    }
    return keys;
}

// NO_NUMBER is above every logit's key: the rank of infinity and NaN.
const NO_NUMBER: u32 = 0xFFFFFFFFu;

// best_of keeps the better of two (key, id).
fn best_of(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}
