// u[m][s·RANK + r] = factor · Σ_k a[s][r][k]·x[m][k], a workgroup each: the first half of LoRA adapters (arXiv 2106.09685), of all
// that are loaded. What has the factor 0 stays as it is.
//! include: step lora
//! slot reduce: reduce_workgroup
//! const RANK: u32       ranks of all adapters
//! const K: u32          floats of a row
//! const VECTORS: u32    vec4s of a row, with its padding
//! const X_STRIDE: u32   floats from one row of x to the next
//! const U_STRIDE: u32   floats from one row of u to the next
//! const M_WORD: u32     the step's word with the number of rows
//! const NORM: bool      x is divided by its rms and multiplied by norm first
//! const EPS: f32        the norm's
//! const GATHER: bool    row m of x is the token of output m
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       2: the product, and squares of x
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> u: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let m = wid.y;
    if m >= step[M_WORD] {
        return;
    }
    let factor = bitcast<f32>(step[lora_factors(m) + wid.x % RANK]);
    if factor == 0.0 {
        return;
    }
    var row = m;
    if GATHER {
        row = lora_token(m);
    }
    var sums: array<f32, SUMS>;
    for (var k = lid; k < VECTORS; k += WORKGROUP) {
        var v = x[row * (X_STRIDE / 4u) + k];
        if NORM {
            sums[1] += dot(v, v);
            v *= norm[k];
        }
        sums[0] += dot(v, a[wid.x * VECTORS + k]);
    }
    lanes_sum(&sums, lid);
    if lid == 0u {
        var scale = factor;
        if NORM {
            scale *= inverseSqrt(sums[1] / f32(K) + EPS);
        }
        u[m * U_STRIDE + wid.x] = scale * sums[0];
    }
}
