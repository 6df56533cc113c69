// Rows of a GGUF tensor as they stand in the file become rows of a matrix in planes: quants in units (see
// lib/dequant_f32.wgsl), then scales. An invocation takes two blocks of 32 weights, for two f16 scales share a word.
//! const KIND: u32         0 for f32, 1 for f16 and bf16, 2 for Q8_0, 3 for Q4_0, 4 for Q4_1
//! const BLOCK_WORDS: u32  words of a block's quants
struct Params {
    offset: u32,    // of the first row in source, bytes
    rows: u32,
    row_bytes: u32, // of a row in source
    first: u32,     // the first row's place in this piece
    stride: u32,    // rows of the piece from one to the next
    columns: u32,
    blocks: u32,    // of 32 weights in a row
    scales: u32,    // where the scales start in planes, words
}
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> planes: array<u32>;
@group(0) @binding(2) var<storage, read> params: Params;

fn word_at(at: u32) -> u32 {
    let shift = (at % 4u) * 8u;
    if shift == 0u {
        return source[at / 4u];
    }
    return (source[at / 4u] >> shift) | (source[at / 4u + 1u] << (32u - shift));
}

fn half_at(at: u32) -> u32 {
    let shift = (at % 4u) * 8u;
    var v = source[at / 4u] >> shift;
    if shift == 24u {
        v |= source[at / 4u + 1u] << 8u;
    }
    return v & 0xFFFFu;
}

// spread moves the four low nibbles of a word's bytes together.
fn spread(w: u32) -> u32 {
    let v = w & 0x0F0F0F0Fu;
    return (v & 0xFu) | ((v >> 4u) & 0xF0u) | ((v >> 8u) & 0xF00u) | ((v >> 12u) & 0xF000u);
}

// plain gives weight k of a row of f32, as its bits, or two neighbours of f16 from k; past the row's end they are 0.
fn plain(at: u32, k: u32) -> u32 {
    if KIND == 0u {
        if k < params.columns { return word_at(at + k * 4u); }
        return 0u;
    }
    if k + 1u < params.columns { return word_at(at + k * 2u); }
    if k < params.columns { return half_at(at + k * 2u); }
    return 0u;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let blocks = params.blocks;
    let pairs = (blocks + 1u) / 2u;
    let item = (wid.y * 65535u + wid.x) * 64u + lid;
    let row = item / pairs;
    let pair = item % pairs;
    if row >= params.rows {
        return;
    }
    let start = params.offset + row * params.row_bytes;
    let target_row = params.first + row * params.stride;
    var scale = 0u;
    //! turns: 2u
    for (var b = pair * 2u; b < min(pair * 2u + 2u, blocks); b++) {
        let to = target_row * (blocks * BLOCK_WORDS) + b * BLOCK_WORDS;
        if KIND == 2u {
            let at = start + b * 34u;
            scale |= half_at(at) << ((b % 2u) * 16u);
            for (var i = 0u; i < 4u; i++) {
                planes[to + i * 2u] = word_at(at + 2u + i * 4u) ^ 0x80808080u;
                planes[to + i * 2u + 1u] = word_at(at + 18u + i * 4u) ^ 0x80808080u;
            }
        } else if KIND >= 3u {
            var at = start + b * 18u;
            if KIND == 3u {
                scale |= half_at(at) << ((b % 2u) * 16u);
                at += 2u;
            } else {
                at = start + b * 20u;
                planes[params.scales + target_row * blocks + b] = word_at(at);
                at += 4u;
            }
            for (var i = 0u; i < 4u; i++) {
                let w = word_at(at + i * 4u);
                planes[to + i] = spread(w) | (spread(w >> 4u) << 16u);
            }
        } else {
            // A unit is weights 4i.. and 16+4i.. of the block.
            let each = BLOCK_WORDS / 8u; // words of four weights
            let held = 4u / max(each, 1u); // weights of a word; for the other kinds each is 0, and some compilers divide all the same
            for (var i = 0u; i < 4u; i++) {
                for (var j = 0u; j < each; j++) {
                    let k = b * 32u + i * 4u + j * held;
                    planes[to + i * each * 2u + j] = plain(start, k);
                    planes[to + i * each * 2u + each + j] = plain(start, k + 16u);
                }
            }
        }
    }
    if KIND == 2u || KIND == 3u {
        planes[params.scales + target_row * pairs + pair] = scale;
    }
}
