// The bias of a matrix's rows.
//! const UPS: u32     where the ups' begin
//! const GATED: bool  rows of W come in pairs of gate and up, whose biases lie apart: the gates' first
@group(0) @binding(5) var<storage, read> bias: array<f32>;

// bias_at gives what is added to row n of W.
fn bias_at(n: u32) -> f32 {
    if GATED {
        return bias[n / 2u + n % 2u * UPS];
    }
    return bias[n];
}
