// The best of an output's tokens, from what logit_max has left.
//! include: logits peaks
//! const WORKGROUP: u32  invocations of a workgroup
//! const SLICES: u32     slices of an output's logits

@group(0) @binding(3) var<storage, read> peaks: array<vec4<u32>>;  // [output][PEAKS]
@group(0) @binding(4) var<storage, read> lane_params: array<u32>;  // [lane][8], see sample.Params.Words

const ALL_IDS: u32 = 0xFFFFFFFFu;

var<workgroup> sums: array<vec2<u32>, WORKGROUP>;
var<workgroup> best_token: vec2<u32>; // key and id

// find_peak gives the key and id of the output's most likely token. All of the workgroup must call it.
fn find_peak(o: u32, lane: u32) -> vec2<u32> {
    var best = vec2<u32>(0u, ALL_IDS);
    for (var i = lane; i < SLICES; i += WORKGROUP) { best = best_of(best, peaks[o * PEAKS + i].xy); }
    sums[lane] = best;
    workgroupBarrier();
    if lane == 0u {
        for (var i = 0u; i < min(SLICES, WORKGROUP); i++) { best = best_of(best, sums[i]); }
        best_token = best;
    }
    return workgroupUniformLoad(&best_token);
}
