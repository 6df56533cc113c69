// Attention whose items may see a span of the keys: such an item keeps its unnormalised output, and after it its running
// maximum and sum, for attention_merge. A sum of 0 marks a query row that saw nothing.
//! include: item
//! const COLUMNS: u32   vec4s of a head
//! const KV_HEADS: u32  KV heads
//! const ITEM_ROWS: u32  query rows of an item, whose first is a multiple of it
@group(0) @binding(5) var<storage, read_write> partials: array<vec4<f32>>;

fn keeps_partial(flags: u32) -> bool { return flags == 0u; }
fn partial_at(item: Item, flat: u32) -> u32 { return (item.to * KV_HEADS + item.kv_head) * ITEM_ROWS + flat % ITEM_ROWS; }
fn partial_column(index: u32, c: u32, x: vec4<f32>) { partials[index * (COLUMNS + 1u) + c] = x; }
