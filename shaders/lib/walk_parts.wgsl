// A walk of an item's keys in several launches of TILES tiles each. Between them an invocation's state waits in walks, as it
// stands, so that sums are added in the order of one walk.
//! slot span: span_whole span_parts
//! const WALK_BINDING: u32  binding of the states
//! const WALK_X: u32        invocations that share a row
//! const WALK_OUT_X: u32    of them, own columns of the output
//! const TY: u32            invocations along the query rows
//! const OUTS: u32          vec4s of the output that an invocation owns
//! const BK: u32            keys of a tile
//! const RG: u32            vec4s of query rows that an invocation owns
//! const WORKGROUP: u32     invocations of a workgroup
//! const TILES: u32         tiles that a launch walks
//! const KV_HEADS: u32      KV heads
@group(0) @binding(WALK_BINDING) var<storage, read_write> walks: array<vec4<f32>>; // [item][KV head]: maxima, sums, outputs

const SUMS_AT: u32 = RG * TY;
const OUTS_AT: u32 = SUMS_AT + RG * WORKGROUP;
const OUT_THREADS: u32 = WALK_OUT_X * TY;
const STATE: u32 = OUTS_AT + OUTS * OUT_THREADS;

fn walk_begin(keys: Keys) -> i32 { return keys.begin + i32(span_number() * TILES * BK); }
fn walk_end(keys: Keys) -> i32 { return min(keys.highest, keys.begin + i32((span_number() + 1u) * TILES * BK)); }

// walk_done tells that an earlier launch came to the end, walk_waits that a later one will.
fn walk_done(keys: Keys) -> bool { return span_number() > 0u && walk_begin(keys) >= keys.highest; }
fn walk_waits(keys: Keys) -> bool { return walk_end(keys) < keys.highest; }

fn walk_at(item: Item, index: u32) -> u32 { return (index * KV_HEADS + item.kv_head) * STATE; }

fn walk_take(item: Item, index: u32, lane: u32, maximum: ptr<function, array<vec4<f32>, RG>>,
    sum: ptr<function, array<vec4<f32>, RG>>, sums: ptr<function, array<vec4<f32>, OUTS>>) {
    if span_number() == 0u {
        return;
    }
    let at = walk_at(item, index);
    let tx = lane % WALK_X;
    let ty = lane / WALK_X;
    for (var g = 0u; g < RG; g++) {
        (*maximum)[g] = walks[at + g * TY + ty];
        (*sum)[g] = walks[at + SUMS_AT + g * WORKGROUP + lane];
    }
    if tx < WALK_OUT_X {
        for (var o = 0u; o < OUTS; o++) { (*sums)[o] = walks[at + OUTS_AT + o * OUT_THREADS + ty * WALK_OUT_X + tx]; }
    }
}

fn walk_keep(item: Item, index: u32, lane: u32, maximum: ptr<function, array<vec4<f32>, RG>>,
    sum: ptr<function, array<vec4<f32>, RG>>, sums: ptr<function, array<vec4<f32>, OUTS>>) {
    let at = walk_at(item, index);
    let tx = lane % WALK_X;
    let ty = lane / WALK_X;
    for (var g = 0u; g < RG; g++) {
        if tx == 0u {
            walks[at + g * TY + ty] = (*maximum)[g];
        }
        walks[at + SUMS_AT + g * WORKGROUP + lane] = (*sum)[g];
    }
    if tx < WALK_OUT_X {
        for (var o = 0u; o < OUTS; o++) { walks[at + OUTS_AT + o * OUT_THREADS + ty * WALK_OUT_X + tx] = (*sums)[o]; }
    }
}
