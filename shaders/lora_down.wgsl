// u[m][s][r] = factor · Σ_k a[s][r][k]·x[m][k], four ranks a workgroup: the first half of LoRA adapters. It is 0 for ranks that are of no
// adapter of the row's.
//! include: lora
//! slot reduce: reduce_workgroup reduce_subgroup
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
//! const SUMS: u32       the products, and with ROOT squares of x
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> adapters: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let m = wid.y;
    if m >= step[M_WORD] || !lora_runs() {
        return;
    }
    let slot = wid.x / RANKS;
    let four = wid.x % RANKS;
    let to = (N_ALL + m * SLOTS + slot) * RANKS + four;
    let factors = lora_factors(m, four);
    if all(factors == vec4<f32>()) {
        if lid == 0u {
            adapters[to] = vec4<f32>();
        }
        return;
    }
    var row = m;
    if GATHER {
        row = lora_token(m);
    }
    let begin = (slot * RANK + 4u * four) * VECTORS;
    var sums: array<f32, SUMS>;
    for (var k = lid; k < VECTORS; k += WORKGROUP) {
        var v = x[row * (X_STRIDE / 4u) + k];
        if ROOT {
            sums[SUMS - 1u] += dot(v, v);
        }
        if NORM {
            v *= norm[k];
        }
        for (var r = 0u; r < 4u; r++) {
            sums[r] += dot(v, a[begin + min(r, RANK - 1u - 4u * four) * VECTORS + k]);
        }
    }
    lanes_sum(&sums, lid);
    if lid == 0u {
        var scale = factors;
        if ROOT {
            scale *= inverseSqrt(sums[SUMS - 1u] / f32(K) + EPS);
        }
        adapters[to] = scale * vec4<f32>(sums[0], sums[1], sums[2], sums[3]);
    }
}
