// What workgroup memory holds of Q, K, V and P: f32.
alias Staged = vec4<f32>;
fn staged(x: vec4<f32>) -> Staged { return x; }
