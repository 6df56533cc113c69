// What a self-test computes with: words by a formula of their places, which Go knows too (engine/kernel/pattern.go). Numbers are
// multiples of 1/64 below 2, exact in every type; blocks of weights are chosen among a few.
//! include: fold
struct Pattern {
    kind: u32,
    words: u32,     // to fill
    width: u32,     // numbers of a row, or words of a row of 8-bit integers, or bytes of a block
    stride: u32,    // words from one row to the next, or from one KV block to the next
    salt: u32,
    templates: u32, // blocks to choose from
}
@group(0) @binding(0) var<storage, read> pattern: Pattern;
@group(0) @binding(1) var<storage, read> templates: array<u32>;
@group(0) @binding(2) var<storage, read_write> target_words: array<u32>;

const F16: u32 = 1u;
const BF16: u32 = 2u;
const Q8: u32 = 3u;
const BLOCKS: u32 = 4u;

fn scatter(i: u32) -> u32 {
    let a = (i ^ pattern.salt) * 2654435761u;
    let b = (a ^ (a >> 15u)) * 2246822519u;
    return b ^ (b >> 13u);
}

// code_at gives a whole number from 0 to 254.
fn code_at(i: u32) -> u32 { return (scatter(i) >> 8u) % 255u; }
fn number_at(i: u32) -> f32 { return (f32(code_at(i)) - 127.0) / 64.0; }

// block_byte gives a byte of the rows of blocks.
fn block_byte(at: u32) -> u32 {
    let source = (scatter(at / pattern.width) >> 8u) % pattern.templates * pattern.width + at % pattern.width;
    return (templates[source / 4u] >> (source % 4u * 8u)) & 0xFFu;
}

fn word_at(w: u32) -> u32 {
    let column = w % pattern.stride;
    if pattern.kind == BLOCKS {
        return block_byte(4u * w) | (block_byte(4u * w + 1u) << 8u) | (block_byte(4u * w + 2u) << 16u) | (block_byte(4u * w + 3u) << 24u);
    }
    if pattern.kind == F16 {
        return pack2x16float(vec2<f32>(number_at(4u * w), number_at(4u * w + 1u)));
    }
    if pattern.kind == BF16 {
        return (bitcast<u32>(number_at(4u * w)) >> 16u) | bitcast<u32>(number_at(4u * w + 1u));
    }
    if pattern.kind == Q8 {
        let codes = code_at(4u * w) | (code_at(4u * w + 1u) << 8u) | (code_at(4u * w + 2u) << 16u) | (code_at(4u * w + 3u) << 24u);
        return select(codes + 0x01010101u, 0x2400u, column % pattern.width == pattern.width - 1u); // 1/64, as f16
    }
    return select(0u, bitcast<u32>(number_at(4u * w)), column < pattern.width);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let w = (wid.y * FOLD + wid.x) * 64u + lid;
    if w < pattern.words {
        target_words[w] = word_at(w);
    }
}
