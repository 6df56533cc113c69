// Eight elements of a row of bfloat16.
//! include: eight_words

fn opened(x: Raw) -> Eight {
    let low = x << vec4<u32>(16u);
    let high = x & vec4<u32>(0xFFFF0000u);
    return Eight(bitcast<vec4<f32>>(vec4<u32>(low.x, high.x, low.y, high.y)), bitcast<vec4<f32>>(vec4<u32>(low.z, high.z, low.w, high.w)));
}
