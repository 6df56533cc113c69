// Rotates q in place and k on its way into the KV cache, and stores v. An invocation owns one pair of q's elements or
// one whole word of a K or V row; k and v in qkv stay as they are, so a word may read its elements' partners.
//! include: step rope fold
//! slot kv_store: kv_store_f32 kv_store_f16 kv_store_bf16
//! slot spoil: spoil_none spoil_row
//! const STRIDE: u32      words from one token's row of qkv to the next
//! const HEADS: u32       query heads
//! const KV_HEADS: u32    KV heads
//! const GROUP: u32       KV group
//! const BLOCK_SIZE: u32  slots of a KV block
//! const BLOCK_PAD: u32   words between two blocks that other layers' larger ones need
//! const HEAD_DIM: u32    elements of a head

@group(0) @binding(3) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(4) var<storage, read_write> v_cache: array<u32>;


@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.z * FOLD + id.y;
    if t >= step[STEP_TOKENS] {
        return;
    }
    let base = t * STRIDE;
    let position = step_position(t);
    var unit = id.x;

    if unit < HEADS * Q_UNITS {
        if !rotate_query(base, unit, position) {
            spoil(t);
        }
        return;
    }
    unit -= HEADS * Q_UNITS;
    let values = unit >= KV_HEADS * KV_ROW;
    if values {
        unit -= KV_HEADS * KV_ROW;
    }
    if unit >= KV_HEADS * KV_ROW {
        return;
    }
    let slot = step_slot(GROUP, t);
    if slot < 0 {
        return;
    }
    let kv_head = unit / KV_ROW;
    let word = unit % KV_ROW;
    let e = word * KV_ELEMENTS;
    let at = (((u32(slot) / BLOCK_SIZE) * KV_HEADS + kv_head) * BLOCK_SIZE + u32(slot) % BLOCK_SIZE) * KV_ROW + word
        + (u32(slot) / BLOCK_SIZE) * BLOCK_PAD;
    var a: f32;
    var b = 0.0;
    if values {
        let head = (HEADS + KV_HEADS + kv_head) * HEAD_DIM;
        a = plain(base, head + e);
        if KV_ELEMENTS > 1u && e + 1u < HEAD_DIM {
            b = plain(base, head + e + 1u);
        }
        v_cache[at] = kv_word(a, b);
    } else {
        let head = (HEADS + kv_head) * HEAD_DIM;
        a = rotated(base, head, e, position);
        if KV_ELEMENTS > 1u && e + 1u < HEAD_DIM {
            b = rotated(base, head, e + 1u, position);
        }
        k_cache[at] = kv_word(a, b);
    }
    if no_number(a) || no_number(b) {
        spoil(t);
    }
}
