// What drawing needs to know of each slice of each output's logits: its most likely token, as (key, id), where one that is no
// number comes first; the sum of its masses, in floats; and the best key of each of its blocks.
//! include: logits peaks fold
//! const WORKGROUP: u32   invocations of a workgroup, and blocks of a slice
//! const STRIDE: u32      words from one output's logits to the next
//! const SLICE: u32       vec4s of a slice
//! const VOCABULARY: u32  tokens
//! const SLICES: u32      slices of an output's logits

@group(0) @binding(3) var<storage, read_write> peaks: array<u32>;
@group(0) @binding(4) var<storage, read> lane_params: array<u32>; // [lane][8], see sample.Params.Words

const PART: u32 = WORKGROUP / 16u;

var<workgroup> best: array<vec2<u32>, WORKGROUP>;
var<workgroup> parts: array<vec2<u32>, 16>;
var<workgroup> slice_best: vec2<u32>;

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.z * FOLD + group.y;
    if o >= step[STEP_OUTPUTS] {
        return;
    }
    let output = output_at(o);
    take_mask(output);
    let base = o * (STRIDE / 4u);
    var found = vec2<u32>(0u, 0xFFFFFFFFu);
    for (var i = 0u; i < SLICE / WORKGROUP; i++) {
        let c = group.x * SLICE + i * WORKGROUP + lane;
        let x = logits[base + min(c, COLUMNS - 1u)]; // in any case, so that reads do not wait for each other
        if c < COLUMNS {
            let keys = keys_of(x, c);
            for (var j = 0u; j < 4u; j++) {
                let id = 4u * c + j;
                let key = select(keys[j], NO_NUMBER, no_number(x[j]) && id < VOCABULARY);
                found = best_of(found, vec2<u32>(key, id));
            }
        }
    }
    let row = 4u * o * PEAKS;
    peaks[row + 4u * SLICES + group.x * WORKGROUP + lane] = found.x;
    best[lane] = found;
    workgroupBarrier();
    if lane < 16u {
        for (var i = 0u; i < PART; i++) { found = best_of(found, best[lane * PART + i]); }
        parts[lane] = found;
    }
    workgroupBarrier();
    if lane == 0u {
        for (var i = 0u; i < 16u; i++) { found = best_of(found, parts[i]); }
        peaks[row + 4u * group.x] = found.x;
        peaks[row + 4u * group.x + 1u] = found.y;
        slice_best = found;
    }
    let top = workgroupUniformLoad(&slice_best);
    let params = step[output + 1u] * PARAM_WORDS;
    if top.x == 0u || top.x == NO_NUMBER || !sums_masses(lane_params[params + 6u], lane_params[params + 1u]) {
        return;
    }

    // Masses relative to the slice's best, and each times how many powers of two it lies below.
    let maximum = logit_of(top.x);
    let scale = bitcast<f32>(lane_params[params]);
    var sum = vec2<f32>(0.0);
    for (var i = 0u; i < SLICE / WORKGROUP; i++) {
        let c = group.x * SLICE + i * WORKGROUP + lane;
        let x = logits[base + min(c, COLUMNS - 1u)];
        if c < COLUMNS {
            let keys = keys_of(x, c);
            for (var j = 0u; j < 4u; j++) {
                if keys[j] != 0u {
                    let y = min(distance_below(maximum, x[j], scale), 100.0);
                    let m = exp2(-y);
                    sum += vec2<f32>(m, m * y);
                }
            }
        }
    }
    best[lane] = bitcast<vec2<u32>>(sum);
    workgroupBarrier();
    if lane < 16u {
        sum = vec2<f32>(0.0);
        for (var i = 0u; i < PART; i++) { sum += bitcast<vec2<f32>>(best[lane * PART + i]); }
        parts[lane] = bitcast<vec2<u32>>(sum);
    }
    workgroupBarrier();
    if lane == 0u {
        sum = vec2<f32>(0.0);
        for (var i = 0u; i < 16u; i++) { sum += bitcast<vec2<f32>>(parts[i]); }
        peaks[row + 4u * group.x + 2u] = bitcast<u32>(sum.x);
        peaks[row + 4u * group.x + 3u] = bitcast<u32>(sum.y);
    }
}
