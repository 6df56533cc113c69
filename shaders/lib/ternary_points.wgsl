// Weights that are points of a grid whose coordinates are -1, 0 and 1, an eighth more or less. Half a word of the table is a
// point, with codes of q+1 in two bits; integers are eighths.
//! include: bytes pack
const HEAD: u32 = 1024u;
const CODE_UNIT: f32 = 1.0;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
struct Unit {
    codes: vec2<u32>, // four in the low byte
    zero: vec2<f32>,  // what is to be taken from eight times a code
}
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

// ternary_unit finds four codes of each of two points; less says whose coordinates are an eighth less.
fn ternary_unit(points: vec2<u32>, half: u32, less: vec2<bool>) -> Unit {
    let words = vec2<u32>(table_at(points.x / 2u), table_at(points.y / 2u));
    return Unit(words >> (points % 2u * 16u + half * 8u), select(vec2<f32>(7.0), vec2<f32>(9.0), less));
}
fn table_entry(i: u32) -> u32 { return scales[i]; }
fn unit_low(u: Unit) -> vec4<f32> { return ternary(u.codes.x, u.zero.x); }
fn unit_high(u: Unit) -> vec4<f32> { return ternary(u.codes.y, u.zero.y); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return ternary(select(u.codes.x, u.codes.y, high), select(u.zero.x, u.zero.y, high)); }
fn unit_codes(u: Unit) -> vec2<u32> { return vec2<u32>(small_integers(unit_low(u)), small_integers(unit_high(u))); }

// ternary gives eight times the codes less zero: a code at bit p of the mantissa of 2^(26-p) adds eight times its value.
fn ternary(w: u32, zero: f32) -> vec4<f32> {
    let bits = (vec4<u32>(w << 4u) & vec4<u32>(0x30u, 0xC0u, 0x300u, 0xC00u)) | vec4<u32>(0x4A800000u, 0x49800000u, 0x48800000u, 0x47800000u);
    return bitcast<vec4<f32>>(bits) - (vec4<f32>(4194304.0, 1048576.0, 262144.0, 65536.0) + zero);
}

// odd_eighth gives (2s + 1)/8 of a code below 8.
fn odd_eighth(s: u32) -> f32 { return (bitcast<f32>(((s & 7u) << 1u) | 0x4B000001u) - 8388608.0) * 0.125; }
