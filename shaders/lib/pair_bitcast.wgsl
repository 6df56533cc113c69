// Two f16 in a word's bits.
fn two_of(bits: u32) -> vec2<f16> { return bitcast<vec2<f16>>(bits); }
