// y[m][n] += b[n]·u[m], what LoRA adapters add to a product that is there without them. An element an invocation.
//! include: step
//! slot adapters: adapters_lora
//! const N: u32         elements of a row of y
//! const Y_STRIDE: u32  floats from one row of y to the next
//! const M_WORD: u32    the step's word with the number of rows
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < N && id.y < step[M_WORD] {
        y[id.y * Y_STRIDE + id.x] += adapted_row(id.y, id.x);
    }
}
