// Draws each output's token: the best, or, where they may be drawn at random, with temperature, top-k, top-p over what top-k kept, min-p,
// then a position among the masses.
//! include: best fold
//! slot draw: draw_best draw_random
//! const WORKGROUP: u32     invocations of a workgroup
//! const RESULT_WORDS: u32  words of a result, kernel.ResultWords

@group(0) @binding(5) var<storage, read_write> lanes: array<u32>;   // the last token of each lane
@group(0) @binding(6) var<storage, read_write> results: array<u32>; // [output][RESULT_WORDS]

const NOT_NUMBERS: u32 = 0xFFFFFFFEu; // in place of a token, where a logit is infinity or NaN

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.z * FOLD + group.y;
    if o >= step[STEP_OUTPUTS] {
        return;
    }
    let output = output_at(o);
    take_mask(output);
    let owner_lane = step[output + 1u];
    let params = owner_lane * PARAM_WORDS;
    let peak = find_peak(o, lane);
    let draws = (step[output + 3u] & OUTPUT_SAMPLE) != 0u;
    if peak.x == NO_NUMBER || peak.x == 0u || !draws {
        if lane == 0u {
            if draws {
                lanes[owner_lane] = 0u; // steps that run ahead need some token
            }
            results[o * RESULT_WORDS] = select(LANE_TOKEN, NOT_NUMBERS, peak.x == NO_NUMBER);
            results[o * RESULT_WORDS + 1u] = 0u;
        }
        return;
    }
    let token = drawn(o, output, lane, params, peak);
    if lane == 0u {
        lanes[owner_lane] = token;
        results[o * RESULT_WORDS] = token;
        results[o * RESULT_WORDS + 1u] = 0u;
    }
}
