// Attention whose items are several sequences' tokens, one each, over keys that those share: the results go where each
// sequence's own partial results are, as if items of its own had kept them (see attention_split).
//! include: item step
//! const COLUMNS: u32       vec4s of a head
//! const KV_HEADS: u32      KV heads
//! const HEADS_PER_KV: u32  query heads that share a KV head
//! const SPLIT_ROWS: u32    query rows of an item of one sequence
@group(0) @binding(5) var<storage, read_write> partials: array<vec4<f32>>;

const SPLITS: u32 = (HEADS_PER_KV + SPLIT_ROWS - 1u) / SPLIT_ROWS; // such items of a token

fn keeps_partial(flags: u32) -> bool { return true; }
fn partial_at(item: Item, flat: u32) -> u32 {
    let apart = row_state_from(item.row); // of one token's partial results from the next's
    let head = flat % HEADS_PER_KV;
    let to = item.to + (flat / HEADS_PER_KV * SPLITS + head / SPLIT_ROWS) * apart;
    return (to * KV_HEADS + item.kv_head) * SPLIT_ROWS + head % SPLIT_ROWS;
}
fn partial_column(index: u32, c: u32, x: vec4<f32>) { partials[index * (COLUMNS + 1u) + c] = x; }
