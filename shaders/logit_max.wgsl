// The most likely token of each slice of each output's logits, as (key, id); one that is no number comes first.
//! include: logits fold
//! const WORKGROUP: u32   invocations of a workgroup
//! const STRIDE: u32      words from one output's logits to the next
//! const SLICE: u32       vec4s of a slice
//! const VOCABULARY: u32  tokens
//! const SLICES: u32      slices of an output's logits

@group(0) @binding(3) var<storage, read_write> peaks: array<vec2<u32>>; // [output][SLICES]

const PART: u32 = WORKGROUP / 16u;

var<workgroup> best: array<vec2<u32>, WORKGROUP>;
var<workgroup> parts: array<vec2<u32>, 16>;

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.z * FOLD + group.y;
    if o >= step[STEP_OUTPUTS] {
        return;
    }
    take_mask(output_at(o));
    let base = o * (STRIDE / 4u);
    let end = min((group.x + 1u) * SLICE, COLUMNS);
    var found = vec2<u32>(0u, 0xFFFFFFFFu);
    //! turns: SLICE / WORKGROUP
    for (var c = group.x * SLICE + lane; c < end; c += WORKGROUP) {
        let x = logits[base + c];
        let keys = keys_of(x, c);
        for (var j = 0u; j < 4u; j++) {
            let id = 4u * c + j;
            let key = select(keys[j], NO_NUMBER, no_number(x[j]) && id < VOCABULARY);
            found = best_of(found, vec2<u32>(key, id));
        }
    }
    best[lane] = found;
    workgroupBarrier();
    if lane < 16u {
        for (var i = 0u; i < PART; i++) { found = best_of(found, best[lane * PART + i]); }
        parts[lane] = found;
    }
    workgroupBarrier();
    if lane == 0u {
        for (var i = 0u; i < 16u; i++) { found = best_of(found, parts[i]); }
        peaks[o * SLICES + group.x] = found;
    }
}
