// The token behind each token of a step: what was drawn there, or the row's next, or what the host knows. They are written as a step of their own, of which
// there are the tokens only.
//! include: step
//! const RESULT_WORDS: u32  words of a result, kernel.ResultWords
@group(0) @binding(1) var<storage, read> results: array<u32>;  // [output][RESULT_WORDS]
@group(0) @binding(2) var<storage, read_write> next: array<u32>;

const AT: u32 = 64u; // kernel.nextTokensAt

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.x;
    let tokens = step[STEP_TOKENS];
    if t == 0u {
        next[STEP_TOKENS] = tokens;
        next[STEP_AT_TOKENS] = AT;
    }
    if t >= tokens {
        return;
    }
    var token = step[step[STEP_AT_NEXT] + step_token_row(t)];
    if t + 1u < tokens && step_token_row(t + 1u) == step_token_row(t) {
        token = step_token(t + 1u);
    }
    var low = 0u; // outputs are in order of their tokens
    var high = step[STEP_OUTPUTS];
    for (var i = 0u; i < 17u; i++) {
        if low < high {
            let middle = (low + high) / 2u;
            if step[output_at(middle)] < t {
                low = middle + 1u;
            } else {
                high = middle;
            }
        }
    }
    if low < step[STEP_OUTPUTS] && step[output_at(low)] == t && (step[output_at(low) + 3u] & OUTPUT_SAMPLE) != 0u {
        token = results[low * RESULT_WORDS];
    }
    next[AT + t] = token;
}
