// Rows of a GGUF tensor as they stand in the file become rows of a matrix in planes: codes of all rows, strip by strip, then
// scales. An invocation takes the strips that share words of scales.
//! include: weights pack fold
//! const SPAN: u32         strips that share words of scales
//! const SPAN_BYTES: u32   what they take in the file
//! const CODE_STRIPS: u32  strips that share words of codes
//! const CODE_WORDS: u32   words of codes that they share
//! const SCALE_WORDS: u32  words of scales that they share
struct Params {
    offset: u32,    // of the first row in source, bytes
    rows: u32,
    row_bytes: u32, // of a row in source
    first: u32,     // the first row's place in this piece
    stride: u32,    // rows of the piece from one to the next
    strips: u32,    // of 32 weights in a row
    scales: u32,    // where the scales start in planes, words
}
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> planes: array<u32>;
@group(0) @binding(2) var<storage, read> params: Params;

const STRIPS: u32 = 8u; // of a matrix that is read; none is here

// source_at gives the word at a byte, of which the first bytes are wanted.
fn source_at(at: u32, bytes: u32) -> u32 {
    let shift = (at % 4u) * 8u;
    var word = source[at / 4u] >> shift;
    if shift > 0u {
        word |= source[at / 4u + 1u] << (32u - shift);
    }
    return extractBits(word, 0u, min(bytes, 4u) * 8u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let spans = (params.strips + SPAN - 1u) / SPAN;
    let item = (wid.y * FOLD + wid.x) * 64u + lid;
    let row = item / spans;
    let span = item % spans;
    if row >= params.rows {
        return;
    }
    var stored: Stored;
    let begin = span * SPAN_BYTES;
    let bytes = min(SPAN_BYTES, params.row_bytes - begin);
    //! turns: (SPAN_BYTES + 3u) / 4u
    for (var i = 0u; i * 4u < bytes; i++) {
        stored[i] = source_at(params.offset + row * params.row_bytes + begin + i * 4u, bytes - i * 4u);
    }
    let target_row = params.first + row * params.stride;
    let first = span * SPAN;
    //! turns: SPAN
    for (var strip = first; strip < min(first + SPAN, params.strips); strip += CODE_STRIPS) {
        var packed = Packed(); // some compilers zero it once only where nothing is said
        pack_codes(&stored, strip - first, &packed);
        for (var i = 0u; i < CODE_WORDS; i++) {
            planes[(target_row * params.strips + strip) / CODE_STRIPS * CODE_WORDS + i] = packed[i];
        }
    }
    var packed = Packed();
    pack_scales(&stored, &packed);
    for (var i = 0u; i < SCALE_WORDS; i++) {
        planes[params.scales + (target_row * spans + span) * SCALE_WORDS + i] = packed[i];
    }
}
