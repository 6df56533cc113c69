// A walk of an item's keys in one launch.
//! const OUTS: u32  vec4s of the output that an invocation owns
//! const RG: u32    vec4s of query rows that an invocation owns
fn walk_begin(keys: Keys) -> i32 { return keys.begin; }
fn walk_end(keys: Keys) -> i32 { return keys.highest; }
fn walk_done(keys: Keys) -> bool { return false; }
fn walk_waits(keys: Keys) -> bool { return false; }
fn walk_take(item: Item, index: u32, lane: u32, maximum: ptr<function, array<vec4<f32>, RG>>,
    sum: ptr<function, array<vec4<f32>, RG>>, sums: ptr<function, array<vec4<f32>, OUTS>>) {}
fn walk_keep(item: Item, index: u32, lane: u32, maximum: ptr<function, array<vec4<f32>, RG>>,
    sum: ptr<function, array<vec4<f32>, RG>>, sums: ptr<function, array<vec4<f32>, OUTS>>) {}
