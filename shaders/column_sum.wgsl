// y[i] = Σ_r x[r][i] over the rows in order.
//! include: fold
//! most SUMMED_ROWS: u32  rows
struct Shape {
    rows: u32,
    vectors: u32, // in a row
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    if i >= shape.vectors {
        return;
    }
    var sum = vec4<f32>();
    //! turns: SUMMED_ROWS
    for (var r = 0u; r < shape.rows; r++) {
        sum += x[r * shape.vectors + i];
    }
    y[i] = sum;
}
