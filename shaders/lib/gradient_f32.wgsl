// Rows of the output's gradient, [token][OUT_STRIDE] of f32, any head dim. The kernel declares d_out as an array of
// GradientUnit. A column is four elements, those past the head dim read as 0.
//! const HEAD_DIM: u32    elements of a head
//! const OUT_STRIDE: u32  words from one token's output to the next
alias GradientUnit = f32;
const GRADIENT_ROW: u32 = HEAD_DIM;

fn gradient_row(token: u32, head: u32) -> u32 { return token * OUT_STRIDE + head * HEAD_DIM; }

fn gradient_dot(a: f32, b: f32) -> f32 { return a * b; }

fn gradient_column(at: u32, c: u32) -> vec4<f32> {
    let e = 4u * c;
    var x = vec4<f32>(d_out[at + e], 0.0, 0.0, 0.0);
    if e + 1u < HEAD_DIM {
        x.y = d_out[at + e + 1u];
    }
    if e + 2u < HEAD_DIM {
        x.z = d_out[at + e + 2u];
    }
    if e + 3u < HEAD_DIM {
        x.w = d_out[at + e + 3u];
    }
    return x;
}
