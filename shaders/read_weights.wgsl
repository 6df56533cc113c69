// Rows of a matrix as floats, in one of the forms in which a type's library gives them: how tests see what kernels read.
//! slot form: form_f32 form_f16 form_codes
//! const STRIPS: u32  strips of 32 weights in a row
//! const N: u32       rows
@group(0) @binding(0) var<storage, read_write> floats: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let unit = id.x;
    let row = id.y;
    if unit >= STRIPS * 4u || row >= N {
        return;
    }
    let u = unit_at(row, unit);
    let s = scale_at(row, unit / 4u);
    let at = row * (STRIPS * 8u) + unit / 4u * 8u + unit % 4u;
    floats[at] = form_low(u, s);
    floats[at + 4u] = form_high(u, s);
}
