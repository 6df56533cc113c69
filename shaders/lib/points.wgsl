// Weights that are points of a grid, four coordinates a word of the table, each with a sign.
//! include: bytes pack
//! const EVEN_SIGNS: bool  seven signs are stored of eight, whose number is even
const CODE_UNIT: f32 = 1.0;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
struct Unit {
    points: vec2<u32>, // places in the table
    signs: vec2<u32>,  // which coordinates are negative
    first: u32,        // the first of four in signs
}

fn table_entry(i: u32) -> u32 { return scales[i]; }
fn unit_low(u: Unit) -> vec4<f32> { return signed_point(u.points.x, u.signs.x, u.first); }
fn unit_high(u: Unit) -> vec4<f32> { return signed_point(u.points.y, u.signs.y, u.first); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> {
    return signed_point(select(u.points.x, u.points.y, high), select(u.signs.x, u.signs.y, high), u.first);
}
fn unit_codes(u: Unit) -> vec2<u32> { return vec2<u32>(small_integers(unit_low(u)), small_integers(unit_high(u))); }

fn signed_point(at: u32, signs: u32, first: u32) -> vec4<f32> {
    var all = signs;
    if EVEN_SIGNS {
        all = (signs & 127u) | ((countOneBits(signs & 127u) & 1u) << 7u);
    }
    let negative = (vec4<u32>(all >> first) << vec4<u32>(31u, 30u, 29u, 28u)) & vec4<u32>(0x80000000u);
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(bytes_less(table_at(at), BYTES)) ^ negative);
}

// and_half gives s + ½ of codes below 16 at bits 0 and 4.
fn and_half(both: u32) -> vec2<f32> {
    return bitcast<vec2<f32>>((vec2<u32>(both) & vec2<u32>(0xFu, 0xF0u)) | vec2<u32>(0x4B000000u, 0x49000000u)) - vec2<f32>(8388607.5, 524287.5);
}
