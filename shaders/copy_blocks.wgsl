// Copies the first slots of a block to another, K and V. No copy of a step reads what another writes.
//! include: step fold
//! const BLOCK_WORDS: u32  words of a block, of K or V
//! const BLOCK_PAD: u32    words between two blocks that other layers' larger ones need
//! const KV_ROW: u32       words of a row
//! const GROUP: u32        KV group
//! const BLOCK_SIZE: u32   slots of a KV block

@group(0) @binding(1) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(2) var<storage, read_write> v_cache: array<u32>;


@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.z * FOLD + id.y;
    if index >= step[STEP_COPIES] || id.x >= BLOCK_WORDS {
        return;
    }
    let copy = step[STEP_AT_COPIES] + index * 4u; // group, from, to, slots
    if step[copy] != GROUP {
        return;
    }
    let slot = (id.x / KV_ROW) % BLOCK_SIZE;
    if slot >= step[copy + 3u] {
        return;
    }
    let source = step[copy + 1u] * (BLOCK_WORDS + BLOCK_PAD) + id.x;
    let target_at = step[copy + 2u] * (BLOCK_WORDS + BLOCK_PAD) + id.x;
    k_cache[target_at] = k_cache[source];
    v_cache[target_at] = v_cache[source];
}
