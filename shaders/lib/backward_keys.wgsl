// The backward pass by key tiles: a workgroup owns keys of a KV head and walks the queries of all heads that share it, one
// head after another; dK and dV come out, [token][KV head][HEAD_DIM].
@group(0) @binding(6) var<storage, read_write> dk: array<f32>;
@group(0) @binding(7) var<storage, read_write> dv: array<f32>;
const OWN_KEYS: bool = true;

fn store_gradient(at: u32, x: f32) {
    if span_number() > 0u {
        dk[at] += x;
    } else {
        dk[at] = x;
    }
}
fn store_value_gradient(at: u32, x: f32) {
    if span_number() > 0u {
        dv[at] += x;
    } else {
        dv[at] = x;
    }
}
