// Rotates q in place and k on its way into the KV cache, and stores v. An invocation owns one pair of q's elements or
// one whole word of a K or V row; k and v in qkv stay as they are, so a word may read its elements' partners.
// include: step
// include: kv_store
// include: bias

@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;  // [token][STRIDE]: q heads, k heads, v heads
@group(0) @binding(2) var<storage, read> table: array<f32>;      // [position][ROTARY_DIM / 2](cos, sin)
@group(0) @binding(3) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(4) var<storage, read_write> v_cache: array<u32>;

const HALF: u32 = ROTARY_DIM / 2u;
const Q_UNITS: u32 = (HEAD_DIM + 1u) / 2u;
const FOLD: u32 = 65535u;

fn plain(base: u32, i: u32) -> f32 { return qkv[base + i] + bias_at(i); }

// rotated gives element e of the k head that starts at element head of a token's row.
fn rotated(base: u32, head: u32, e: u32, position: u32) -> f32 {
    if (e >= ROTARY_DIM) { return plain(base, head + e); }
    var pair = e % max(HALF, 1u);
    var first = pair;
    var second = pair + HALF;
    if (ADJACENT) {
        pair = e / 2u;
        first = 2u * pair;
        second = first + 1u;
    }
    let a = plain(base, head + first);
    let b = plain(base, head + second);
    let at = (position * HALF + pair) * 2u;
    if (e == first) { return a * table[at] - b * table[at + 1u]; }
    return a * table[at + 1u] + b * table[at];
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.z * FOLD + id.y;
    if (t >= step[STEP_TOKENS]) { return; }
    let base = t * STRIDE;
    let position = step_position(t);
    var unit = id.x;

    if (unit < HEADS * Q_UNITS) {
        let head = (unit / Q_UNITS) * HEAD_DIM;
        let i = unit % Q_UNITS;
        if (i < HALF) {
            let first = head + select(i, 2u * i, ADJACENT);
            let second = first + select(HALF, 1u, ADJACENT);
            let a = plain(base, first);
            let b = plain(base, second);
            let at = (position * HALF + i) * 2u;
            qkv[base + first] = a * table[at] - b * table[at + 1u];
            qkv[base + second] = a * table[at + 1u] + b * table[at];
        } else {
            let e = 2u * i;
            qkv[base + head + e] = plain(base, head + e);
            if (e + 1u < HEAD_DIM) { qkv[base + head + e + 1u] = plain(base, head + e + 1u); }
        }
        return;
    }
    unit -= HEADS * Q_UNITS;
    let values = unit >= KV_HEADS * KV_ROW;
    if (values) { unit -= KV_HEADS * KV_ROW; }
    if (unit >= KV_HEADS * KV_ROW) { return; }
    let slot = step_slot(GROUP, t);
    if (slot < 0) { return; }
    let kv_head = unit / KV_ROW;
    let word = unit % KV_ROW;
    let e = word * KV_ELEMENTS;
    let at = (((u32(slot) / BLOCK_SIZE) * KV_HEADS + kv_head) * BLOCK_SIZE + u32(slot) % BLOCK_SIZE) * KV_ROW + word;
    if (values) {
        let head = (HEADS + KV_HEADS + kv_head) * HEAD_DIM;
        var b = 0.0;
        if (KV_ELEMENTS > 1u && e + 1u < HEAD_DIM) { b = plain(base, head + e + 1u); }
        v_cache[at] = kv_word(plain(base, head + e), b);
    } else {
        let head = (HEADS + kv_head) * HEAD_DIM;
        var b = 0.0;
        if (KV_ELEMENTS > 1u && e + 1u < HEAD_DIM) { b = rotated(base, head, e + 1u, position); }
        k_cache[at] = kv_word(rotated(base, head, e, position), b);
    }
}
