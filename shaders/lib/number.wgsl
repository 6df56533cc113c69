// Infinity and NaN, told by the exponent's bits: compilers may assume that a float is neither.
fn no_number(x: f32) -> bool { return (bitcast<u32>(x) & 0x7F800000u) == 0x7F800000u; }
