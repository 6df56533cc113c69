// What workgroup memory holds of Q, K, V and P: f16, kept finite; what is no number stays none.
alias Staged = vec4<f16>;
fn staged(x: vec4<f32>) -> Staged {
    let y = clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0));
    return Staged(select(y, x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7F800000u)) == vec4<u32>(0x7F800000u)));
}
