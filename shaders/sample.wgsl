// Draws each output's token: temperature, top-k, top-p over what top-k kept, min-p, then a position among the masses.
//! include: rng choice fold
//! const WORKGROUP: u32     invocations of a workgroup
//! const STRIDE: u32        words from one output's logits to the next
//! const RESULT_WORDS: u32  words of a result, kernel.ResultWords
//! const VOCABULARY: u32    tokens

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
    let flags = lane_params[params + 6u];
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
    var token = peak.y;
    if (flags & GREEDY) == 0u {
        let base = o * (STRIDE / 4u);
        let maximum = logit_of(peak.x);
        let scale = bitcast<f32>(lane_params[params]);
        var kept = Kept(0u, ALL_IDS);
        if (flags & TOP_K) != 0u && lane_params[params + 1u] < VOCABULARY {
            kept = keep_best(base, lane, lane_params[params + 1u], maximum);
        }
        if (flags & TOP_P) != 0u {
            kept = keep_share(base, lane, kept, lane_params[params + 2u], maximum, scale);
        }
        let random = philox(vec4<u32>(step[output + 2u], 0u, 0u, 0u), vec2<u32>(lane_params[params + 4u], lane_params[params + 5u]));
        let reach = bitcast<f32>(lane_params[params + 3u]);
        token = locate(DRAW, base, lane, kept, random.xy, maximum, scale, reach);
    }
    if lane == 0u {
        lanes[owner_lane] = token;
        results[o * RESULT_WORDS] = token;
        results[o * RESULT_WORDS + 1u] = 0u;
    }
}
