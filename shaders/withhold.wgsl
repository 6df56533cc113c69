// Trades the logits of tokens that may not be drawn for what stands in a list, and, run again, back. One that is no number
// stays where it is, for the sampler to find.
//! include: number
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;   // [output][stride]
@group(0) @binding(1) var<storage, read_write> list: array<vec2<u32>>; // how many follow; then (place among logits, logit to put there)

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + 1u;
    if i > list[0].x {
        return;
    }
    let place = list[i].x;
    let logit = logits[place];
    if no_number(logit) {
        return;
    }
    logits[place] = bitcast<f32>(list[i].y);
    list[i].y = bitcast<u32>(logit);
}
