// The gated delta rule (arXiv 2412.06464): u = β(v − S·k), for k and q of length 1, q scaled.
//! include: decay
//! slot reduce: reduce_alone reduce_subgroup
//! slot quads: quads_f32 quads_f32x4
//! const SCALE: f32  of q
//! const QUADS: u32  fours of a key
//! const EACH: u32   of them, an invocation's
//! const LANES: u32  invocations that share a row of S
//! const SUMS: u32   sums that are found at once
//! const BETA_AT: u32  β's place in a run of gates
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read> heads: array<f32>; // a of all heads, then what Δ is shifted by

const SHORTEST: f32 = 1e-6; // added to a squared length

// advance takes an invocation's part of a row of S over a token, and gives the row's answer.
fn advance(s: ptr<function, array<vec4<f32>, EACH>>, q_at: u32, k_at: u32, v: f32, decay: f32, dt: f32, gate: u32, head: u32, lane: u32, lid: u32) -> f32 {
    var sums: array<f32, SUMS>; // S·k, S·q, k·k, q·q, k·q
    for (var i = 0u; i < EACH; i++) {
        if i * LANES + lane < QUADS {
            let k = quad(k_at, i * LANES + lane);
            let q = quad(q_at, i * LANES + lane);
            sums[0] += dot((*s)[i], k);
            sums[1] += dot((*s)[i], q);
            sums[2] += dot(k, k);
            sums[3] += dot(q, q);
            sums[4] += dot(k, q);
        }
    }
    lanes_sum(&sums, lid);
    let k_scale = inverseSqrt(sums[2] + SHORTEST);
    let q_scale = SCALE * inverseSqrt(sums[3] + SHORTEST);
    let u = sigmoid(gates[gate + BETA_AT]) * (v - decay * k_scale * sums[0]) * k_scale;
    for (var i = 0u; i < EACH; i++) {
        if i * LANES + lane < QUADS {
            (*s)[i] = decay * (*s)[i] + u * quad(k_at, i * LANES + lane);
        }
    }
    return q_scale * (decay * sums[1] + u * sums[4]);
}
