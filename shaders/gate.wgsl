// x[t][i] *= sigmoid(z[t][i]).
//! include: step decay
//! const WIDTH: u32     elements of a row
//! const X_STRIDE: u32  floats from one row of x to the next
//! const Z_STRIDE: u32  floats from one row of z to the next
//! const Z_AT: u32      the gates' place in a row of z
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < WIDTH && id.y < step[STEP_TOKENS] {
        x[id.y * X_STRIDE + id.x] *= sigmoid(z[id.y * Z_STRIDE + Z_AT + id.x]);
    }
}
