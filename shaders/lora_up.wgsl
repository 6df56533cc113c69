// y[m][n] = activate(y[m][n] + SCALE · Σ_r u[m][s·RANK + r]·b[r][n]): the second half of LoRA adapters. The columns of y are of up to
// four matrices, whose u are those of s.
//! include: step lora
//! slot activation: activation_none activation_silu activation_gelu activation_gelu_erf activation_cap
//! const RANK: u32      ranks of all adapters
//! const N: u32         columns of y
//! const SECOND: u32    where the second matrix's begin
//! const THIRD: u32     the third's
//! const FOURTH: u32    the fourth's
//! const U_STRIDE: u32  floats from one row of u to the next
//! const B_STRIDE: u32  floats from one row of b to the next
//! const Y_STRIDE: u32  floats from one row of y to the next
//! const M_WORD: u32    the step's word with the number of rows
//! const SCALE: f32     factor of the sum
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.x;
    let m = id.y;
    if n >= N || m >= step[M_WORD] {
        return;
    }
    let s = u32(n >= SECOND) + u32(n >= THIRD) + u32(n >= FOURTH);
    let factors = lora_factors(m);
    var sum = 0.0;
    for (var r = 0u; r < RANK; r++) {
        if bitcast<f32>(step[factors + r]) != 0.0 {
            sum += u[m * U_STRIDE + s * RANK + r] * b[r * B_STRIDE + n];
        }
    }
    let at = m * Y_STRIDE + n;
    y[at] = activate(y[at] + SCALE * sum);
}
