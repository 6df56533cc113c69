// What workgroup memory holds of Q, K, V and P: f16, kept finite.
alias Staged = vec4<f16>;
fn staged(x: vec4<f32>) -> Staged { return Staged(clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }
