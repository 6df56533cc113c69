// The most likely token of each output's logits, the first of those that are alike. Logits that are no numbers give any token.
//! include: step fold
//! const VOCABULARY: u32  tokens
//! const STRIDE: u32      words from one output's logits to the next
@group(0) @binding(1) var<storage, read> logits: array<f32>;         // [output][STRIDE]
@group(0) @binding(2) var<storage, read_write> guesses: array<u32>;  // [output]

var<workgroup> tops: array<f32, 256>;
var<workgroup> tokens: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.y * FOLD + group.x;
    if o >= step[STEP_OUTPUTS] {
        return;
    }
    var token = min(lane, VOCABULARY - 1u);
    var top = logits[o * STRIDE + token];
    //! turns: VOCABULARY / 256
    for (var i = lane + 256u; i < VOCABULARY; i += 256u) {
        let x = logits[o * STRIDE + i];
        if x > top {
            top = x;
            token = i;
        }
    }
    tops[lane] = top;
    tokens[lane] = token;
    for (var span = 128u; span > 0u; span = span / 2u) {
        workgroupBarrier();
        if lane < span {
            let x = tops[lane + span];
            if x > tops[lane] || (x == tops[lane] && tokens[lane + span] < tokens[lane]) {
                tops[lane] = x;
                tokens[lane] = tokens[lane + span];
            }
        }
    }
    if lane == 0u {
        guesses[o] = tokens[0];
    }
}
