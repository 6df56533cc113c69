// u[m][s][r] = factor · Σ_k a[s][r][k]·x[m][k], PER ranks a workgroup, for those of a row's adapters, one after the other, with a list of
// which these are: the first half of LoRA adapters.
//! include: lora
//! slot reduce: reduce_workgroup reduce_both
//! const RANK: u32       ranks of all adapters
//! const RANKS: u32      fours of them
//! const N_ALL: u32      rows of b, before u
//! const SLOTS: u32      matrices that have an a
//! const K: u32          floats of a row
//! const VECTORS: u32    vec4s of a row, with its padding
//! const X_STRIDE: u32   floats from one row of x to the next
//! const M_WORD: u32     the step's word with the number of rows
//! const NORM: bool      x is multiplied by norm first
//! const ROOT: bool      and divided by its rms
//! const EPS: f32        the norm's
//! const GATHER: bool    row m of x is the token of output m
//! const WORKGROUP: u32  invocations of a workgroup
//! const PER: u32        ranks of a workgroup: 1, 2 or 4
//! const SUMS: u32       their products, and with ROOT squares of x
//! const TURNS: u32      VECTORS / WORKGROUP, rounded up
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> adapters: array<f32>; // see adapters_lora.wgsl

const LIST: u32 = (RANKS + 3u) / 4u;
const U_STRIDE: u32 = LIST + SLOTS * RANKS;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let m = wid.y;
    let slot = wid.z;
    let parts = 4u / PER;
    let rows = step[M_WORD];
    let entry = lora_entry(m, wid.x / parts);
    let four = lora_four(entry);
    let first = wid.x % parts * PER;
    let at = (N_ALL * RANKS + m * U_STRIDE) * 4u;
    // All that waits for nothing else is read at once.
    var factors: array<f32, PER>;
    for (var r = 0u; r < PER; r++) {
        factors[r] = lora_factor(entry, first + r);
    }
    var row = m;
    if GATHER {
        row = lora_token(m);
    }
    var held: array<vec4<f32>, TURNS>;
    //! unroll
    for (var turn = 0u; turn < TURNS; turn++) {
        held[turn] = x[row * (X_STRIDE / 4u) + min(turn * WORKGROUP + lid, VECTORS - 1u)];
    }
    if m >= rows {
        return;
    }
    if slot == 0u && first == 0u && lid == 0u {
        adapters[at + wid.x / parts] = f32(four);
    }
    if four == 0u {
        return;
    }
    let rank = (four - 1u) * 4u + first;
    var sums: array<f32, SUMS>;
    //! unroll
    for (var turn = 0u; turn < TURNS; turn++) {
        let k = turn * WORKGROUP + lid;
        if k < VECTORS {
            var v = held[turn];
            if ROOT {
                sums[SUMS - 1u] += dot(v, v);
            }
            if NORM {
                v *= norm[k];
            }
            for (var r = 0u; r < PER; r++) {
                sums[r] += dot(v, a[(slot * RANK + min(rank + r, RANK - 1u)) * VECTORS + k]);
            }
        }
    }
    lanes_sum(&sums, lid);
    if lid == 0u {
        var scale = 1.0;
        if ROOT {
            scale = inverseSqrt(sums[SUMS - 1u] / f32(K) + EPS);
        }
        let to = at + (LIST + slot * RANKS + wid.x / parts) * 4u + first;
        for (var r = 0u; r < PER; r++) {
            adapters[to + r] = factors[r] * scale * sums[r];
        }
    }
}
