// Eight elements of a row of f16.
//! include: eight_words

fn opened(x: Raw) -> Eight {
    return Eight(vec4<f32>(unpack2x16float(x.x), unpack2x16float(x.y)), vec4<f32>(unpack2x16float(x.z), unpack2x16float(x.w)));
}
