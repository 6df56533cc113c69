// rope_store for caches of 8-bit integers with a scale a row (lib/kv_q8_bytes has a row's form). The first workgroups
// rotate q; in the others LANES neighbouring invocations own a K or V row: they rotate it, find its largest magnitude
// and write its words.
//
// The scale is max|x| / 127 as a normal f16, rounded to nearest, so never under 2^-14: rows of less than that keep an
// absolute error of 2^-15, and a row of zeros gives zeros. Elements are divided by the scale as it is stored, rounded to
// nearest, ties to even, and kept in ±127.
//! include: step rope fold
//! slot spoil: spoil_none spoil_row
//! const STRIDE: u32      words from one token's row of qkv to the next
//! const LANES: u32       invocations that share a row
//! const HEAD_DIM: u32    elements of a head
//! const HEADS: u32       query heads
//! const GROUP: u32       KV group
//! const KV_HEADS: u32    KV heads
//! const BLOCK_SIZE: u32  slots of a KV block
//! const BLOCK_PAD: u32   words between two blocks that other layers' larger ones need

@group(0) @binding(3) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(4) var<storage, read_write> v_cache: array<u32>;

const QUANTS: u32 = (HEAD_DIM + 3u) / 4u; // words of four bytes
const KV_ROW: u32 = QUANTS + 1u;
const WORDS: u32 = (QUANTS + LANES - 1u) / LANES;
const Q_GROUPS: u32 = (HEADS * Q_UNITS + 63u) / 64u;
const SCALE_MIN: f32 = 0.00006103515625; // 2^-14
const SCALE_MAX: f32 = 65504.0;

var<workgroup> peaks: array<u32, 64>; // magnitudes as bits: integers order them, and what is no number comes last

// element gives what element e of a row stores, before it is quantized.
fn element(base: u32, head: u32, e: u32, position: u32, values: bool) -> f32 {
    if e >= HEAD_DIM {
        return 0.0;
    }
    if values {
        return plain(base, head + e);
    }
    return rotated(base, head, e, position);
}

// to_f16 rounds what f16 holds as a normal number to f16, ties to even: pack2x16float may round either way.
fn to_f16(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return bitcast<f32>((bits + 0xFFFu + ((bits >> 13u) & 1u)) & 0xFFFFE000u);
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let t = group.z * FOLD + group.y;
    if t >= step[STEP_TOKENS] {
        return;
    }
    let base = t * STRIDE;
    let position = step_position(t);
    if group.x < Q_GROUPS {
        let unit = group.x * 64u + lid;
        if unit < HEADS * Q_UNITS { // not in one condition: wgpu 0.19 calls what stands behind && always
            if !rotate_query(base, unit, position) {
                spoil(t);
            }
        }
        return;
    }
    let slot = step_slot(GROUP, t);
    if slot < 0 {
        return;
    }

    let lane = lid % LANES;
    let row = (group.x - Q_GROUPS) * (64u / LANES) + lid / LANES; // the K rows of the token, then its V rows
    let inside = row < 2u * KV_HEADS;
    let values = row >= KV_HEADS;
    let head = (HEADS + row) * HEAD_DIM;
    var x: array<vec4<f32>, WORDS>;
    var peak = 0u;
    for (var i = 0u; i < WORDS; i++) {
        let e = 4u * (i * LANES + lane);
        if inside && e < HEAD_DIM {
            x[i] = vec4<f32>(element(base, head, e, position, values), element(base, head, e + 1u, position, values),
                element(base, head, e + 2u, position, values), element(base, head, e + 3u, position, values));
        }
        let bits = bitcast<vec4<u32>>(x[i]) & vec4<u32>(0x7FFFFFFFu);
        peak = max(peak, max(max(bits.x, bits.y), max(bits.z, bits.w)));
    }
    peaks[lid] = peak;
    workgroupBarrier();
    for (var i = 0u; i < LANES; i++) { peak = max(peak, peaks[lid - lane + i]); }
    if !inside {
        return;
    }

    let numbers = peak < 0x7F800000u;
    if !numbers {
        spoil(t);
    }
    let scale = to_f16(clamp(bitcast<f32>(peak) * (1.0 / 127.0), SCALE_MIN, SCALE_MAX));
    let inverse = 1.0 / scale;
    let at = (((u32(slot) / BLOCK_SIZE) * KV_HEADS + row % KV_HEADS) * BLOCK_SIZE + u32(slot) % BLOCK_SIZE) * KV_ROW
        + (u32(slot) / BLOCK_SIZE) * BLOCK_PAD;
    for (var i = 0u; i < WORDS; i++) {
        let word = i * LANES + lane;
        if word < QUANTS {
            let q = vec4<u32>(vec4<i32>(round(clamp(x[i] * inverse, vec4<f32>(-127.0), vec4<f32>(127.0)))) + 128);
            store(values, at + word, q.x | (q.y << 8u) | (q.z << 16u) | (q.w << 24u));
        }
    }
    if lane == 0u {
        store(values, at + QUANTS, select(0x7E00u, pack2x16float(vec2<f32>(scale, 0.0)), numbers));
    }
}

fn store(values: bool, at: u32, word: u32) {
    if values {
        v_cache[at] = word;
    } else {
        k_cache[at] = word;
    }
}
