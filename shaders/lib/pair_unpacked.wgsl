// Two f16 in a word's bits, for naga, whose bitcast to them gives f32.
fn two_of(bits: u32) -> vec2<f16> { return vec2<f16>(unpack2x16float(bits)); }
