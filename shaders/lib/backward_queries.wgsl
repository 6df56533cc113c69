// The backward pass by query tiles: a workgroup owns queries of a head and walks the keys; dQ comes out,
// [token][HEADS][HEAD_DIM].
@group(0) @binding(6) var<storage, read_write> dq: array<f32>;
const OWN_KEYS: bool = false;

fn store_gradient(at: u32, x: f32) {
    if span_number() > 0u {
        dq[at] += x;
    } else {
        dq[at] = x;
    }
}
fn store_value_gradient(at: u32, x: f32) {}
