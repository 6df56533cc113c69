// Mamba-2's rule (arXiv 2405.21060): u = Δv, and D·v joins the answer.
//! slot reduce: reduce_alone reduce_subgroup
//! slot quads: quads_f32 quads_f32x4
//! const SCALE: f32  of q
//! const QUADS: u32  fours of a key
//! const EACH: u32   of them, an invocation's
//! const LANES: u32  invocations that share a row of S
//! const SUMS: u32   sums that are found at once
//! const HEADS: u32  heads of values
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read> heads: array<f32>; // a of all heads, then what Δ is shifted by, then D

// advance takes an invocation's part of a row of S over a token, and gives the row's answer.
fn advance(s: ptr<function, array<vec4<f32>, EACH>>, q_at: u32, k_at: u32, v: f32, decay: f32, dt: f32, gate: u32, head: u32, lane: u32, lid: u32) -> f32 {
    var sums: array<f32, SUMS>;
    for (var i = 0u; i < EACH; i++) {
        if i * LANES + lane < QUADS {
            (*s)[i] = decay * (*s)[i] + dt * v * quad(k_at, i * LANES + lane);
            sums[0] += dot((*s)[i], quad(q_at, i * LANES + lane));
        }
    }
    lanes_sum(&sums, lid);
    return SCALE * sums[0] + heads[2u * HEADS + head] * v;
}
