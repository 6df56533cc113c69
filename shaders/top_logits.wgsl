// For outputs whose lane asks for log-probabilities: those of the token and of the best K, from the raw logits. Of an output with a
// mask the tokens that may be drawn are all there are.
//! include: choice fold
//! const WORKGROUP: u32     invocations of a workgroup
//! const RESULT_WORDS: u32  words of a result, kernel.ResultWords
//! const MAX_TOP: u32       best tokens that a result may hold
//! const VOCABULARY: u32    tokens
//! const STRIDE: u32        words from one output's logits to the next

@group(0) @binding(5) var<storage, read_write> results: array<u32>; // [output][RESULT_WORDS]

var<workgroup> shares: array<f32, WORKGROUP>;
var<workgroup> listed: atomic<u32>;
var<workgroup> list: array<vec2<u32>, MAX_TOP>;

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.z * FOLD + group.y;
    if o >= step[STEP_OUTPUTS] {
        return;
    }
    let output = output_at(o);
    var wanted = min(min(lane_params[step[output + 1u] * PARAM_WORDS + 7u], MAX_TOP), VOCABULARY);
    if wanted == 0u {
        return;
    }
    take_mask(output);
    let base = o * (STRIDE / 4u);
    let peak = find_peak(o, lane);
    if peak.x == NO_NUMBER || peak.x == 0u {
        return;
    }
    let maximum = logit_of(peak.x);

    var sum = 0.0;
    for (var c = lane; c < COLUMNS; c += WORKGROUP) {
        let x = logits[base + c];
        let keys = keys_of(x, c);
        for (var j = 0u; j < 4u; j++) {
            if keys[j] != 0u {
                sum += exp(clamp(x[j] - maximum, -80.0, 0.0));
            }
        }
    }
    shares[lane] = sum;

    let kept = keep_best(base, lane, wanted, maximum);
    if lane == 0u {
        atomicStore(&listed, 0u);
    }
    workgroupBarrier();
    for (var c = lane; c < COLUMNS; c += WORKGROUP) {
        let keys = keys_of(logits[base + c], c);
        for (var j = 0u; j < 4u; j++) {
            let id = 4u * c + j;
            let key = keys[j];
            if keeps(kept, key, id) {
                let at = atomicAdd(&listed, 1u);
                if at < MAX_TOP {
                    list[at] = vec2<u32>(key, id);
                }
            }
        }
    }
    workgroupBarrier();

    wanted = min(wanted, atomicLoad(&listed)); // a mask may leave fewer
    let log_total = maximum + log_of_shares();
    let result = o * RESULT_WORDS;
    //! turns: MAX_TOP
    for (var n = lane; n < wanted; n += WORKGROUP) {
        let mine = list[n];
        var rank = 0u;
        //! turns: MAX_TOP
        for (var i = 0u; i < wanted; i++) {
            let other = list[i];
            if other.x > mine.x || (other.x == mine.x && other.y < mine.y) {
                rank++;
            }
        }
        let at = result + 4u + 3u * rank;
        results[at] = mine.y;
        results[at + 1u] = bitcast<u32>(logit_of(mine.x));
        results[at + 2u] = bitcast<u32>(logit_of(mine.x) - log_total);
    }
    if lane == 0u {
        let token = results[result];
        results[result + 1u] = wanted;
        if token < VOCABULARY {
            let x = logits[base + token / 4u][token % 4u];
            results[result + 2u] = bitcast<u32>(x);
            results[result + 3u] = bitcast<u32>(x - log_total);
        }
    }
}

fn log_of_shares() -> f32 {
    var total = 0.0;
    for (var i = 0u; i < WORKGROUP; i++) { total += shares[i]; }
    return log(max(total, 1.0));
}

// keep_best keeps the count best tokens, the lowest ids of equals, for a count of at most the vocabulary.
fn keep_best(base: u32, lane: u32, count: u32, maximum: f32) -> Kept {
    var least = 0u;
    if count <= WORKGROUP {
        least = least_key(base, lane, count);
    }
    var kept = Kept(0u, ALL_IDS);
    select_key(COUNT, base, lane, kept, vec2<u32>(count, 0u), least, maximum, 1.0);
    let ties = cut(lane, &kept, vec2<u32>(found.y, found_held.x));
    if ties.x < ties.y {
        kept.last = locate(TIES, base, lane, kept, vec2<u32>(ties.x - 1u, 0u), maximum, 1.0, 0.0);
    }
    return kept;
}
